/* What differs between systems: sockets, locks, clocks, processes. */
#ifndef VR180_PLATFORM_H
#define VR180_PLATFORM_H

#include <stddef.h>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET Socket;
#define NO_SOCKET INVALID_SOCKET
typedef SRWLOCK Mutex;
#define MUTEX_INIT SRWLOCK_INIT
#else
#include <pthread.h>
typedef int Socket;
#define NO_SOCKET (-1)
typedef pthread_mutex_t Mutex;
#define MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#endif

/* As often as wanted: hosts load a plug-in again and again. */
void platform_begin(void);
void platform_end(void);

/* Where this library lies, for hosts that do not tell it. Returns 0 when it cannot be told. */
int own_path(char *out, size_t size);

/* A number that no other call in any process is likely to get. */
unsigned long long unlikely_number(void);

void mutex_init(Mutex *mutex);
void mutex_destroy(Mutex *mutex);
void mutex_lock(Mutex *mutex);
void mutex_unlock(Mutex *mutex);
int mutex_try(Mutex *mutex);

/* seconds of a clock that never goes back */
double clock_s(void);
void sleep_s(double seconds);

/* A connection to a numeric loopback or other address; NO_SOCKET when nobody listens within the time, or when ``stopped`` says so. */
Socket socket_connect(const char *host, int port, double timeout_s, int (*stopped)(void *), void *argument);
/* 1 readable (or writable), 0 not within the time, -1 broken */
int socket_wait(Socket s, int for_writing, double timeout_s);
long socket_send(Socket s, const char *data, size_t size);
long socket_receive(Socket s, char *data, size_t size);
void socket_close(Socket s);

/* The folder in which servers of this user announce themselves. Returns 0 when it cannot be told. */
int announce_folder(char *out, size_t size);

/* Starts a program that outlives this one and inherits nothing that is open here; its output is appended to ``log``.
 * Returns 0 when that failed. */
int start_program(const char *const *words, int count, const char *log);

void make_folder(const char *path);

/* A file of at most ``limit`` bytes with a zero after it, to be freed; 0 when it cannot be read. */
char *read_text(const char *path, size_t limit);

/* Whether the file is this user's, or the superuser's. */
int is_own(const char *path);

/* Runs ``one`` on a thread of its own and ``other`` on this one, and waits for both. */
void run_both(void (*one)(void *), void *one_argument, void (*other)(void *), void *other_argument);

#endif
