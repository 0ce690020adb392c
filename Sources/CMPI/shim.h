#pragma once
// What Captioner asks of MPI, as functions of the group of all processes: Swift sees none of MPI's macros, and of Open MPI
// and MPICH the types differ. Each returns MPI's error code.
#include <mpi.h>
#include <stdint.h>
#include <stdlib.h>

// Threads may be there, of which only one calls.
static inline int world_begin(int *rank, int *size) {
  int provided = 0;
  int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
  if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  if (code == MPI_SUCCESS) code = MPI_Comm_rank(MPI_COMM_WORLD, rank);
  return code == MPI_SUCCESS ? MPI_Comm_size(MPI_COMM_WORLD, size) : code;
}

static inline int world_end(void) { return MPI_Finalize(); }

static inline int world_abort(int status) { return MPI_Abort(MPI_COMM_WORLD, status); }

static inline int world_barrier(void) { return MPI_Barrier(MPI_COMM_WORLD); }

static inline int world_broadcast(void *bytes, int count) {
  return MPI_Bcast(bytes, count, MPI_BYTE, 0, MPI_COMM_WORLD);
}

// What every rank gives `bytes` of: `counts[r]` from rank r, at `places[r]` of `all`.
static inline int world_gather(
    const void *bytes, int count, void *all, const int *counts, const int *places) {
  return MPI_Allgatherv(bytes, count, MPI_BYTE, all, counts, places, MPI_BYTE, MPI_COMM_WORLD);
}

// Part r of `values` goes to rank r; rank r's part for this one comes to row r of `parts`, rows of `width`.
static inline int world_exchange(
    const float *values, const int *counts, const int *places, float *parts, const int *widths,
    const int *rows) {
  return MPI_Alltoallv(
      values, counts, places, MPI_FLOAT, parts, widths, rows, MPI_FLOAT, MPI_COMM_WORLD);
}

// Every rank's own part of `values`, which is in its place, goes to all.
static inline int world_share(float *values, const int *counts, const int *places) {
  return MPI_Allgatherv(
      MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, counts, places, MPI_FLOAT, MPI_COMM_WORLD);
}

// A number that lies at rank 0.
typedef struct {
  MPI_Win window;
  int64_t *memory;
} world_counter;

static inline int world_counter_make(int rank, world_counter *counter) {
  MPI_Aint size = rank == 0 ? sizeof(int64_t) : 0;
  int code = MPI_Win_allocate(
      size, sizeof(int64_t), MPI_INFO_NULL, MPI_COMM_WORLD, &counter->memory, &counter->window);
  if (code != MPI_SUCCESS) return code;
  code = MPI_Win_lock_all(0, counter->window);
  if (code != MPI_SUCCESS) return code;
  if (rank == 0) {
    *counter->memory = 0;
    code = MPI_Win_sync(counter->window);
  }
  return code == MPI_SUCCESS ? MPI_Barrier(MPI_COMM_WORLD) : code;
}

static inline int world_counter_add(world_counter *counter, int64_t amount, int64_t *before) {
  int code = MPI_Fetch_and_op(&amount, before, MPI_INT64_T, 0, 0, MPI_SUM, counter->window);
  return code == MPI_SUCCESS ? MPI_Win_flush(0, counter->window) : code;
}

static inline int world_counter_free(world_counter *counter) {
  int code = MPI_Win_unlock_all(counter->window);
  return code == MPI_SUCCESS ? MPI_Win_free(&counter->window) : code;
}

// Lets what other ranks ask of this one be answered.
static inline int world_answer(void) {
  int found = 0;
  return MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, MPI_STATUS_IGNORE);
}

static inline int world_error_text(int code, char *text, int *length) {
  return MPI_Error_string(code, text, length);
}

enum { world_error_text_size = MPI_MAX_ERROR_STRING };
