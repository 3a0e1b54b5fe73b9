#include "cmpi.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Handles are addresses of exported symbols in Open MPI, and integers in MPICH and in the ABI of
// MPI 5. Both are passed in one register.
typedef intptr_t handle;

enum { text_size = 1024, longest_text = 8192 };

static struct {
  bool is_open;
  handle world, bytes, floats, nothing, errors_return;
  void *in_place;
  int serialized;

  int (*Initialized)(int *);
  int (*Init_thread)(int *, char ***, int, int *);
  int (*Finalize)(void);
  int (*Comm_set_errhandler)(handle, handle);
  int (*Comm_rank)(handle, int *);
  int (*Comm_size)(handle, int *);
  int (*Abort)(handle, int);
  int (*Bcast)(void *, int, handle, int, handle);
  int (*Alltoallv)(const void *, const int *, const int *, handle, void *, const int *,
                   const int *, handle, handle);
  int (*Allgatherv)(const void *, int, handle, void *, const int *, const int *, handle, handle);
  int (*Error_string)(int, char *, int *);
  int (*Get_library_version)(char *, int *);
} m;

static bool take(void *library, void *slot, const char *name) {
  void *function = dlsym(library, name);
  memcpy(slot, &function, sizeof function);
  return function != NULL;
}

static void *open_library(const char *name) {
  // Global, because Open MPI's own plug-ins look for its symbols.
  return dlopen(name, RTLD_NOW | RTLD_GLOBAL);
}

static void *launchers_library(void) {
  static const char *const open_mpi[] = {"libmpi.so.40", "libmpi.40.dylib", NULL};
  static const char *const others[] = {"libmpi.so.12",   "libmpich.so.12",     "libmpi_abi.so.1",
                                       "libmpi.12.dylib", "libmpi_abi.1.dylib", NULL};
  // mpirun of Open MPI says the first; Hydra and srun's PMI-2 say PMI_RANK.
  bool is_open_mpi = getenv("OMPI_COMM_WORLD_SIZE") || !getenv("PMI_RANK");
  const char *const *lists[] = {is_open_mpi ? open_mpi : others, is_open_mpi ? others : open_mpi};
  for (int i = 0; i < 2; i++)
    for (const char *const *name = lists[i]; *name; name++) {
      void *library = open_library(*name);
      if (library) return library;
    }
  return NULL;
}

const char *cm_open(const char *path) {
  if (m.is_open) return NULL;
  void *library = path ? open_library(path) : launchers_library();
  if (!library)
    return path ? dlerror() : "no MPI library is found (libmpi.so.40, libmpi.so.12, libmpi_abi.so.1)";

#define TAKE(name) take(library, &m.name, "MPI_" #name)
  bool all = TAKE(Initialized) & TAKE(Init_thread) & TAKE(Finalize) & TAKE(Comm_set_errhandler) &
             TAKE(Comm_rank) & TAKE(Comm_size) & TAKE(Abort) & TAKE(Bcast) & TAKE(Alltoallv) &
             TAKE(Allgatherv) & TAKE(Error_string) & TAKE(Get_library_version);
#undef TAKE
  if (!all) return "it is no MPI library";

  void *world = dlsym(library, "ompi_mpi_comm_world");
  int version = 0, minor = 0;
  int (*abi)(int *, int *) = NULL;
  if (world) {
    m.world = (handle)world;
    m.bytes = (handle)dlsym(library, "ompi_mpi_byte");
    m.floats = (handle)dlsym(library, "ompi_mpi_float");
    m.nothing = (handle)dlsym(library, "ompi_mpi_datatype_null");
    m.errors_return = (handle)dlsym(library, "ompi_mpi_errors_return");
    m.in_place = (void *)1;
    m.serialized = 2;
    if (!m.bytes || !m.floats || !m.nothing || !m.errors_return) return "it is no Open MPI we know";
  } else if (take(library, &abi, "MPI_Abi_get_version") && !abi(&version, &minor) && version > 0) {
    m.world = 0x101;
    m.bytes = 0x247;
    m.floats = 0x210;
    m.nothing = 0x200;
    m.errors_return = 0x143;
    m.in_place = (void *)1;
    m.serialized = 2048;
  } else {
    m.world = 0x44000000;
    m.bytes = 0x4c00010d;
    m.floats = 0x4c00040a;
    m.nothing = 0x0c000000;
    m.errors_return = 0x54000001;
    m.in_place = (void *)-1;
    m.serialized = 2;
  }
  m.is_open = true;
  return NULL;
}

int cm_start(void) {
  int started = 0, level = 0;
  m.Initialized(&started);
  if (started) return 0;
  int error = m.Init_thread(NULL, NULL, m.serialized, &level);
  if (!error && level < m.serialized) error = -1;
  return error ? error : m.Comm_set_errhandler(m.world, m.errors_return);
}

int cm_finish(void) { return m.Finalize(); }
void cm_abort(int code) { m.Abort(m.world, code); }

int cm_rank(void) {
  int rank = 0;
  m.Comm_rank(m.world, &rank);
  return rank;
}

int cm_ranks(void) {
  int count = 0;
  m.Comm_size(m.world, &count);
  return count;
}

int cm_broadcast(void *bytes, int count, int root) {
  return m.Bcast(bytes, count, m.bytes, root, m.world);
}

int cm_exchange(const float *from, const int *counts, const int *places, float *to,
                const int *counts_in, const int *places_in) {
  return m.Alltoallv(from, counts, places, m.floats, to, counts_in, places_in, m.floats, m.world);
}

int cm_gather(float *runs, const int *counts, const int *places) {
  return m.Allgatherv(m.in_place, 0, m.nothing, runs, counts, places, m.floats, m.world);
}

static void copy(const char *from, int count, char *text) {
  int length = count < text_size ? count : text_size - 1;
  memcpy(text, from, length);
  text[length] = 0;
}

void cm_describe(int error, char *text) {
  char full[longest_text] = {0};
  int count = 0;
  m.Error_string(error, full, &count);
  copy(full, count, text);
}

void cm_library(char *text) {
  char full[longest_text] = {0};
  int count = 0;
  m.Get_library_version(full, &count);
  copy(full, count, text);
}
