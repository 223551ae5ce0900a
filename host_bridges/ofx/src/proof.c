#if defined(_WIN32)
#define _CRT_RAND_S
#endif
#include "proof.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 64

typedef struct {
    uint32_t state[8];
    uint64_t size;
    unsigned char block[BLOCK];
} Hash;

static const uint32_t rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
    0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
    0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
    0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
    0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turned(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* FIPS 180-4, 6.2.2 */
static void take_block(Hash *hash) {
    uint32_t w[64], v[8];
    for (int t = 0; t < 16; t++) {
        const unsigned char *p = hash->block + 4 * t;
        w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int t = 16; t < 64; t++) {
        uint32_t a = turned(w[t - 15], 7) ^ turned(w[t - 15], 18) ^ w[t - 15] >> 3, b = turned(w[t - 2], 17) ^ turned(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = b + w[t - 7] + a + w[t - 16];
    }
    memcpy(v, hash->state, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t e = v[4], a = v[0];
        uint32_t one = v[7] + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + rounds[t] + w[t];
        uint32_t two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++) hash->state[i] += v[i];
}

static void begin(Hash *hash) {
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, first, sizeof first);
    hash->size = 0;
}

static void add(Hash *hash, const void *data, size_t size) {
    const unsigned char *p = data;
    for (size_t i = 0; i < size; i++) {
        hash->block[hash->size++ % BLOCK] = p[i];
        if (hash->size % BLOCK == 0) take_block(hash);
    }
}

static void end(Hash *hash, unsigned char out[32]) {
    unsigned char length[8], filler = 0x80;
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(hash->size * 8 >> (56 - 8 * i));
    add(hash, &filler, 1);
    for (filler = 0; hash->size % BLOCK != BLOCK - 8;) add(hash, &filler, 1);
    add(hash, length, 8);
    for (int i = 0; i < 32; i++) out[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256(const void *data, size_t size, unsigned char out[32]) {
    Hash hash;
    begin(&hash);
    add(&hash, data, size);
    end(&hash, out);
}

void hmac_sha256(const void *key, size_t key_size, const void *text, size_t size, unsigned char out[32]) {
    unsigned char pad[BLOCK] = {0}, inner[32];
    Hash hash;
    if (key_size > BLOCK) sha256(key, key_size, pad);
    else memcpy(pad, key, key_size);
    for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36;
    begin(&hash);
    add(&hash, pad, BLOCK);
    add(&hash, text, size);
    end(&hash, inner);
    for (int i = 0; i < BLOCK; i++) pad[i] ^= 0x36 ^ 0x5c;
    begin(&hash);
    add(&hash, pad, BLOCK);
    add(&hash, inner, sizeof inner);
    end(&hash, out);
}

static void digits(const unsigned char bytes[32], char out[PROOF_ROOM]) {
    for (int i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

int make_nonce(char out[PROOF_ROOM]) {
    unsigned char bytes[32];
#if defined(_WIN32)
    for (size_t i = 0; i < sizeof bytes; i += sizeof(unsigned)) {
        unsigned part;
        if (rand_s(&part)) return 0;
        memcpy(bytes + i, &part, sizeof part);
    }
#else
    FILE *f = fopen("/dev/urandom", "rb");
    if (!f) return 0;
    setvbuf(f, NULL, _IONBF, 0);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    if (n != sizeof bytes) return 0;
#endif
    digits(bytes, out);
    return 1;
}

void make_proof(const char *token, const char *nonce, const char *host, int port, char out[PROOF_ROOM]) {
    char text[512];
    unsigned char bytes[32];
    int n = snprintf(text, sizeof text, "vr180-ofx server proof 1\n%s\n%s\n%d\n", nonce, host, port);
    /* names of hosts are at most 255 long: they fit */
    size_t size = n > 0 && (size_t)n < sizeof text ? (size_t)n : 0;
    for (size_t i = 25; i < size; i++)
        if (text[i] >= 'A' && text[i] <= 'Z') text[i] += 'a' - 'A';
    hmac_sha256(token, strlen(token), text, size, bytes);
    digits(bytes, out);
}

int same_proof(const char one[PROOF_ROOM], const char other[PROOF_ROOM]) {
    unsigned char different = 0;
    for (int i = 0; i < PROOF_ROOM; i++) different |= (unsigned char)(one[i] ^ other[i]);
    return !different;
}
