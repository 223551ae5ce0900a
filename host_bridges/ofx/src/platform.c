#if !defined(_WIN32) && !defined(__APPLE__)
#define _GNU_SOURCE
#endif
#include "platform.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)

#include <windows.h>

static int begun;
void platform_begin(void) {
    WSADATA data;
    if (!begun) begun = !WSAStartup(MAKEWORD(2, 2), &data);
}
void platform_end(void) {
    if (begun) WSACleanup();
    begun = 0;
}

int own_path(char *out, size_t size) {
    HMODULE module;
    if (!GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, (LPCSTR)(void *)&begun, &module)) return 0;
    DWORD n = GetModuleFileNameA(module, out, (DWORD)size);
    return n > 0 && n < size;
}

static unsigned long long process_number(void) { return GetCurrentProcessId(); }

void mutex_init(Mutex *mutex) { InitializeSRWLock(mutex); }
void mutex_destroy(Mutex *mutex) { (void)mutex; }
void mutex_lock(Mutex *mutex) { AcquireSRWLockExclusive(mutex); }
void mutex_unlock(Mutex *mutex) { ReleaseSRWLockExclusive(mutex); }
int mutex_try(Mutex *mutex) { return TryAcquireSRWLockExclusive(mutex); }

double clock_s(void) { return (double)GetTickCount64() / 1000.0; }
void sleep_s(double seconds) { Sleep((DWORD)(seconds * 1000)); }

static int pending(void) { return WSAGetLastError() == WSAEWOULDBLOCK; }
static void set_blocking(Socket s, int blocking) {
    u_long mode = blocking ? 0 : 1;
    ioctlsocket(s, FIONBIO, &mode);
}
void socket_close(Socket s) {
    if (s != NO_SOCKET) closesocket(s);
}

int announce_folder(char *out, size_t size) {
    const char *set = getenv("VR180_OFX_CACHE"), *local = getenv("LOCALAPPDATA");
    int n = set && *set ? snprintf(out, size, "%s\\service", set) : local ? snprintf(out, size, "%s\\vr180-ofx\\Cache\\service", local) : -1;
    return n > 0 && (size_t)n < size;
}

int start_program(const char *const *words, int count, const char *log) {
    char line[8192];
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        int n = snprintf(line + used, sizeof line - used, "%s\"%s\"", i ? " " : "", words[i]);
        if (n < 0 || (size_t)n >= sizeof line - used) return 0;
        used += (size_t)n;
    }
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    HANDLE out = CreateFileA(log, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    STARTUPINFOEXA start = {0};
    start.StartupInfo.cb = sizeof start;
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    start.StartupInfo.hStdOutput = start.StartupInfo.hStdError = out;
    /* the log alone is inherited, whatever the host has opened */
    SIZE_T room = 0;
    InitializeProcThreadAttributeList(NULL, 1, 0, &room);
    LPPROC_THREAD_ATTRIBUTE_LIST list = malloc(room);
    BOOL made = out != INVALID_HANDLE_VALUE && list && InitializeProcThreadAttributeList(list, 1, 0, &room);
    PROCESS_INFORMATION process;
    if (made) {
        start.lpAttributeList = list;
        made = UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &out, sizeof out, NULL, NULL) &&
               CreateProcessA(NULL, line, NULL, NULL, TRUE, CREATE_NEW_PROCESS_GROUP | DETACHED_PROCESS | EXTENDED_STARTUPINFO_PRESENT, NULL, NULL,
                              &start.StartupInfo, &process);
        DeleteProcThreadAttributeList(list);
    }
    free(list);
    if (out != INVALID_HANDLE_VALUE) CloseHandle(out);
    if (!made) return 0;
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return 1;
}

typedef struct {
    void (*function)(void *);
    void *argument;
} Call;
static DWORD WINAPI run_call(LPVOID p) {
    Call *call = p;
    call->function(call->argument);
    return 0;
}
void run_both(void (*one)(void *), void *one_argument, void (*other)(void *), void *other_argument) {
    Call call = {one, one_argument};
    HANDLE thread = CreateThread(NULL, 0, run_call, &call, 0, NULL);
    other(other_argument);
    if (thread) {
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
    } else {
        one(one_argument);
    }
}

/* folders of a user's profile are closed to others */
int is_own(const char *path) {
    (void)path;
    return 1;
}

#else

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

void platform_begin(void) {}
void platform_end(void) {}

int own_path(char *out, size_t size) {
    static const char here;
    Dl_info info;
    if (!dladdr(&here, &info) || !info.dli_fname || !*info.dli_fname) return 0;
    char *real = realpath(info.dli_fname, NULL);
    int n = real ? snprintf(out, size, "%s", real) : -1;
    free(real);
    return n > 0 && (size_t)n < size;
}

static unsigned long long process_number(void) { return (unsigned long long)getpid(); }

void mutex_init(Mutex *mutex) { pthread_mutex_init(mutex, NULL); }
void mutex_destroy(Mutex *mutex) { pthread_mutex_destroy(mutex); }
void mutex_lock(Mutex *mutex) { pthread_mutex_lock(mutex); }
void mutex_unlock(Mutex *mutex) { pthread_mutex_unlock(mutex); }
int mutex_try(Mutex *mutex) { return !pthread_mutex_trylock(mutex); }

double clock_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void sleep_s(double seconds) {
    struct timespec wait = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&wait, NULL);
}

static int pending(void) { return errno == EINPROGRESS || errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }
static void set_blocking(Socket s, int blocking) {
    int flags = fcntl(s, F_GETFL, 0);
    fcntl(s, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}
void socket_close(Socket s) {
    if (s != NO_SOCKET) close(s);
}

int announce_folder(char *out, size_t size) {
    const char *set = getenv("VR180_OFX_CACHE"), *home = getenv("HOME"), *xdg = getenv("XDG_CACHE_HOME");
    int n = -1;
    if (set && *set) {
        n = snprintf(out, size, "%s/service", set);
    } else {
#if defined(__APPLE__)
        (void)xdg;
        if (home) n = snprintf(out, size, "%s/Library/Caches/vr180-ofx/service", home);
#else
        if (xdg && *xdg) n = snprintf(out, size, "%s/vr180-ofx/service", xdg);
        else if (home) n = snprintf(out, size, "%s/.cache/vr180-ofx/service", home);
#endif
    }
    return n > 0 && (size_t)n < size;
}

int is_own(const char *path) {
    struct stat facts;
    return !stat(path, &facts) && (facts.st_uid == geteuid() || facts.st_uid == 0);
}

/* Hosts set these for their own libraries and their own Python. */
static int of_the_host(const char *entry) {
    static const char *const names[] = {"PYTHONHOME=", "PYTHONPATH=", "PYTHONNOUSERSITE=", "PYTHONEXECUTABLE=", "LD_LIBRARY_PATH=", "LD_PRELOAD=",
                                        "DYLD_LIBRARY_PATH=", "DYLD_INSERT_LIBRARIES=", "QT_PLUGIN_PATH=", "OCIO=", "VIRTUAL_ENV="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strncmp(entry, names[i], strlen(names[i]))) return 1;
    return 0;
}

/* A word of a shell's command line. Returns the bytes written, or 0 when there is no room. */
static size_t quoted(char *out, size_t size, const char *word) {
    size_t used = 0;
    if (size < strlen(word) * 4 + 4) return 0;
    out[used++] = '\'';
    for (; *word; word++) {
        if (*word == '\'') {
            memcpy(out + used, "'\\''", 4);
            used += 4;
        } else {
            out[used++] = *word;
        }
    }
    out[used++] = '\'';
    out[used] = 0;
    return used;
}

/* What the host has open must not stay open in a server that outlives it. */
static int close_in_child(posix_spawn_file_actions_t *actions) {
#if defined(__APPLE__)
    (void)actions; /* POSIX_SPAWN_CLOEXEC_DEFAULT does it */
    return 1;
#else
    /* newer C libraries close whatever is open at the very moment */
    int (*close_from)(posix_spawn_file_actions_t *, int);
    *(void **)&close_from = dlsym(RTLD_DEFAULT, "posix_spawn_file_actions_addclosefrom_np");
    if (close_from) return !close_from(actions, 3);
    DIR *open_ones = opendir("/proc/self/fd");
    struct dirent *entry;
    if (!open_ones) return 0;
    while ((entry = readdir(open_ones))) {
        int fd = atoi(entry->d_name);
        if (fd > 2 && fd != dirfd(open_ones)) posix_spawn_file_actions_addclose(actions, fd);
    }
    closedir(open_ones);
    return 1;
#endif
}

int start_program(const char *const *words, int count, const char *log) {
    /* through a shell that goes at once: so it is nobody's child, and leaves no dead process in the host */
    char line[16384];
    /* a program that is not there is told at once */
    size_t used = 0;
    for (int i = -1; i < count; i++) {
        if (i < 0) {
            memcpy(line, "command -v ", 11);
            size_t n = quoted(line + 11, sizeof line - 11, words[0]);
            if (!n || n + 128 >= sizeof line) return 0;
            used = 11 + n;
            memcpy(line + used, " >/dev/null 2>&1 || exit 127; ", 30);
            used += 30;
            continue;
        }
        if (i) line[used++] = ' ';
        size_t n = quoted(line + used, sizeof line - used, words[i]);
        if (!n || used + n + 64 >= sizeof line) return 0;
        used += n;
    }
    memcpy(line + used, " </dev/null >>", 14);
    used += 14;
    size_t n = quoted(line + used, sizeof line - used, log);
    if (!n || used + n + 16 >= sizeof line) return 0;
    used += n;
    memcpy(line + used, " 2>&1 &", 8);
    size_t kept = 0, total = 0;
    while (environ[total]) total++;
    char **env = calloc(total + 1, sizeof *env);
    if (!env) return 0;
    for (size_t i = 0; i < total; i++)
        if (!of_the_host(environ[i])) env[kept++] = environ[i];
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    short flags = 0;
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
#if defined(POSIX_SPAWN_SETSID)
    flags |= POSIX_SPAWN_SETSID;
#endif
#if defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    posix_spawnattr_setflags(&attributes, flags);
    char *argv[] = {"sh", "-c", line, NULL};
    pid_t pid;
    int failed = !close_in_child(&actions) || posix_spawn(&pid, "/bin/sh", &actions, &attributes, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(env);
    if (failed) return 0;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

typedef struct {
    void (*function)(void *);
    void *argument;
} Call;
static void *run_call(void *p) {
    Call *call = p;
    call->function(call->argument);
    return NULL;
}
void run_both(void (*one)(void *), void *one_argument, void (*other)(void *), void *other_argument) {
    Call call = {one, one_argument};
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, run_call, &call);
    other(other_argument);
    if (failed) one(one_argument);
    else pthread_join(thread, NULL);
}

#endif

unsigned long long unlikely_number(void) {
    static Mutex lock = MUTEX_INIT;
    static unsigned long long state;
    mutex_lock(&lock);
    double now = clock_s();
    unsigned long long bits;
    memcpy(&bits, &now, sizeof bits);
    /* splitmix64: its steps scatter what little the clock and the process's number differ by */
    state += bits ^ process_number() << 40 ^ 0x9E3779B97F4A7C15u;
    unsigned long long z = state;
    mutex_unlock(&lock);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Waits in slices; 1 when the connection stands. */
static int connected(Socket s, double timeout_s, int (*stopped)(void *), void *argument) {
    double end = clock_s() + timeout_s;
    int error = 0, ready;
    socklen_t length = sizeof error;
    while (!(ready = socket_wait(s, 1, 0.05)))
        if (clock_s() > end || (stopped && stopped(argument))) return 0;
    return ready > 0 && !getsockopt(s, SOL_SOCKET, SO_ERROR, (char *)&error, &length) && !error;
}

Socket socket_connect(const char *host, int port, double timeout_s, int (*stopped)(void *), void *argument) {
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, service, &hints, &found)) return NO_SOCKET;
    Socket s = NO_SOCKET;
    for (struct addrinfo *a = found; a && s == NO_SOCKET; a = a->ai_next) {
        s = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (s == NO_SOCKET) continue;
        /* frames are tens of megabytes: larger pieces are fewer wake-ups */
        int size = 4 << 20, on = 1;
        setsockopt(s, SOL_SOCKET, SO_RCVBUF, (const char *)&size, sizeof size);
        setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
        set_blocking(s, 0);
        int failed = connect(s, a->ai_addr, (socklen_t)a->ai_addrlen);
        if (failed && pending()) failed = !connected(s, timeout_s, stopped, argument);
        if (failed) {
            socket_close(s);
            s = NO_SOCKET;
        }
    }
    freeaddrinfo(found);
    return s;
}

int socket_wait(Socket s, int for_writing, double timeout_s) {
#if defined(_WIN32)
    WSAPOLLFD item = {s, (SHORT)(for_writing ? POLLOUT : POLLIN), 0};
    int n = WSAPoll(&item, 1, (int)(timeout_s * 1000));
#else
    struct pollfd item = {s, (short)(for_writing ? POLLOUT : POLLIN), 0};
    int n = poll(&item, 1, (int)(timeout_s * 1000));
    if (n < 0 && errno == EINTR) return 0;
#endif
    return n < 0 ? -1 : n > 0;
}

long socket_send(Socket s, const char *data, size_t size) {
#if defined(MSG_NOSIGNAL)
    long n = (long)send(s, data, size, MSG_NOSIGNAL);
#else
    long n = (long)send(s, data, (int)size, 0);
#endif
    return n < 0 && pending() ? 0 : n;
}

long socket_receive(Socket s, char *data, size_t size) {
    if (size > 1 << 24) size = 1 << 24;
#if defined(_WIN32)
    long n = (long)recv(s, data, (int)size, 0);
#else
    long n = (long)recv(s, data, size, 0);
#endif
    /* -2: nothing there yet; 0: the other side has closed */
    return n < 0 && pending() ? -2 : n;
}

void make_folder(const char *path) {
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof part) return;
    for (size_t i = 1; i <= length; i++)
        if (i == length || path[i] == '/' || path[i] == '\\') {
            memcpy(part, path, i);
            part[i] = 0;
#if defined(_WIN32)
            CreateDirectoryA(part, NULL);
#else
            mkdir(part, 0700);
#endif
        }
}

char *read_text(const char *path, size_t limit) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    char *text = malloc(limit + 1);
    size_t n = text ? fread(text, 1, limit, f) : 0;
    fclose(f);
    if (text) text[n] = 0;
    return text;
}
