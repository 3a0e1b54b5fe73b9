#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

_Static_assert(sizeof(((cjpeg_image *)0)->message) >= JMSG_LENGTH_MAX, "a message has to fit");

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  cjpeg_image *image;
} reporter;

static void fail(j_common_ptr decoder) {
  reporter *to = (reporter *)decoder->err;
  to->base.format_message(decoder, to->image->message);
  longjmp(to->escape, 1);
}

// Levels below 0 are warnings, the others trace what goes on.
static void warn(j_common_ptr decoder, int level) {
  if (level >= 0) return;
  if (decoder->err->msg_code != JWRN_EXTRANEOUS_DATA) fail(decoder);
  ((reporter *)decoder->err)->image->stray += decoder->err->msg_parm.i[0];
}

static int read_image(const unsigned char *bytes, size_t size, cjpeg_image *image,
                      unsigned char *pixels) {
  struct jpeg_decompress_struct decoder;
  reporter report;
  memset(&decoder, 0, sizeof decoder);
  decoder.err = jpeg_std_error(&report.base);
  report.base.error_exit = fail;
  report.base.emit_message = warn;
  report.image = image;
  image->stray = 0;
  image->message[0] = 0;
  if (setjmp(report.escape)) {
    jpeg_destroy_decompress(&decoder);
    return 0;
  }
  jpeg_create_decompress(&decoder);
  jpeg_mem_src(&decoder, bytes, size);
  jpeg_read_header(&decoder, TRUE);
  int has_inks = decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  decoder.out_color_space = has_inks ? JCS_CMYK : JCS_RGB;
  if (pixels) {
    jpeg_start_decompress(&decoder);
    size_t stride = (size_t)image->width * image->samples;
    while (decoder.output_scanline < decoder.output_height) {
      JSAMPROW row = pixels + decoder.output_scanline * stride;
      jpeg_read_scanlines(&decoder, &row, 1);
    }
    jpeg_finish_decompress(&decoder);
  } else {
    image->width = decoder.image_width;
    image->height = decoder.image_height;
    image->samples = has_inks ? 4 : 3;
  }
  jpeg_destroy_decompress(&decoder);
  return 1;
}

int cjpeg_read_header(const unsigned char *bytes, size_t size, cjpeg_image *image) {
  return read_image(bytes, size, image, NULL);
}

int cjpeg_decode(const unsigned char *bytes, size_t size, cjpeg_image *image,
                 unsigned char *pixels) {
  return read_image(bytes, size, image, pixels);
}
