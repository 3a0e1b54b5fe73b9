// An MPI library opened at run time: Open MPI, MPICH and its relatives, or the standard ABI of
// MPI 5. No header of one is needed, and a program that no launcher started opens none.
#ifndef CMPI_H
#define CMPI_H

// Opens `path`, or the library that belongs to the launcher. A text says what is wrong; NULL is
// success.
const char *cm_open(const char *path);

// The functions below return 0, or an error that `cm_describe` explains.

// Starts MPI for calls by one thread at a time.
int cm_start(void);
int cm_finish(void);
// Ends the whole job with an exit code.
void cm_abort(int code);
int cm_rank(void);
int cm_ranks(void);
int cm_broadcast(void *bytes, int count, int root);
// Run i of `from` goes to rank i; run i of `to` comes from rank i. Counts and places are in floats.
int cm_exchange(const float *from, const int *counts, const int *places, float *to,
                const int *counts_in, const int *places_in);
// Every rank's run, in place, in the order of the ranks.
int cm_gather(float *runs, const int *counts, const int *places);
// Writes up to 1,023 bytes of text; only after a successful `cm_start`.
void cm_describe(int error, char *text);
// Writes up to 1,023 bytes: name and version of the library; before `cm_start`, too.
void cm_library(char *text);

#endif
