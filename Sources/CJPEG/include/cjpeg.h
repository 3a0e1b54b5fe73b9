// Decoding of JPEG files from memory.
//
// C, because libjpeg leaves by longjmp, which Swift cannot; and libjpeg rather than TurboJPEG,
// because only it tells its warnings apart: bytes between two markers that belong to nothing cost
// no pixel, whatever else it warns of does.

#ifndef CJPEG_H
#define CJPEG_H

#include <stddef.h>

typedef struct {
  int width;
  int height;
  // Values of a pixel: 3 (red, green, blue), or 4 (Adobe's inverted inks).
  int samples;
  // Bytes passed over that belong to nothing.
  long stray;
  // Why the file cannot be decoded, after a failure.
  char message[200];
} cjpeg_image;

// Reads the header alone; 0 for a failure.
int cjpeg_read_header(const unsigned char *bytes, size_t size, cjpeg_image *image);

// Decodes into `pixels`, [height, width, samples] of the header read before; 0 for a failure.
int cjpeg_decode(const unsigned char *bytes, size_t size, cjpeg_image *image,
                 unsigned char *pixels);

#endif
