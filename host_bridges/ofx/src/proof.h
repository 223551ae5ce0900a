/* What a server shows before it is told the token: that it knows it. */
#ifndef VR180_PROOF_H
#define VR180_PROOF_H

#include <stddef.h>

/* 64 hexadecimal digits and a zero */
#define PROOF_ROOM 65

/* FIPS 180-4 */
void sha256(const void *data, size_t size, unsigned char out[32]);
/* RFC 2104 */
void hmac_sha256(const void *key, size_t key_size, const void *text, size_t size, unsigned char out[32]);

/* Digits that nobody has seen before; 0 when the system has no random numbers. */
int make_nonce(char out[PROOF_ROOM]);
/* What is to be answered to the nonce by the server that is called so, and knows the token. */
void make_proof(const char *token, const char *nonce, const char *host, int port, char out[PROOF_ROOM]);
/* Takes the same time wherever they differ. */
int same_proof(const char one[PROOF_ROOM], const char other[PROOF_ROOM]);

#endif
