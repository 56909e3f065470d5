// peers encodes one picture as sixels with libsixel and with chafa's library,
// many times in memory, and says how long that took.
//
//     peers WIDTH HEIGHT FILE    FILE: the picture as raw RGB bytes
//
// Each line of standard input is an order, ENCODER FRAMES OUT: encode so many
// frames, write the last one to the file OUT ("-": nowhere). The answer is one
// line, nanoseconds for all of them and bytes of one.

#include <chafa.h>
#include <sixel.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A cell of chafa's canvas, in pixels. Sides of pictures are multiples of it.
enum { CELL_WIDTH = 8, CELL_HEIGHT = 12 };

struct picture {
    int width, height;
    unsigned char *rgb;
    unsigned char *scratch; // libsixel diffuses errors in the pixels it is given
};

// An encoded frame. It keeps its memory, so that growing it costs nothing after
// the first.
struct frame {
    char *data;
    size_t size, room;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "peers: %s: %s\n", what, why);
    exit(1);
}

static void frame_add(struct frame *f, const char *data, size_t size)
{
    if (f->size + size > f->room) {
        f->room = 2 * (f->size + size);
        f->data = realloc(f->data, f->room);
        if (f->data == NULL)
            die("frame", "out of memory");
    }
    memcpy(f->data + f->size, data, size);
    f->size += size;
}

static int frame_write(char *data, int size, void *frame)
{
    frame_add(frame, data, (size_t)size);
    return size;
}

static void check(const char *what, SIXELSTATUS status)
{
    if (SIXEL_FAILED(status))
        die(what, sixel_helper_format_error(status));
}

static void libsixel_emit(const struct picture *p, sixel_dither_t *dither, struct frame *f)
{
    sixel_output_t *output;
    check("sixel_output_new", sixel_output_new(&output, frame_write, f, NULL));
    check("sixel_encode", sixel_encode(p->scratch, p->width, p->height, 3, dither, output));
    sixel_output_unref(output);
}

// What img2sixel does by default: a palette of 256 colours made for the
// picture, and the diffusion that the library chooses.
static void libsixel_adaptive(const struct picture *p, struct frame *f)
{
    sixel_dither_t *dither;
    check("sixel_dither_new", sixel_dither_new(&dither, 256, NULL));
    check("sixel_dither_initialize",
          sixel_dither_initialize(dither, p->scratch, p->width, p->height, SIXEL_PIXELFORMAT_RGB888,
                                  SIXEL_LARGE_AUTO, SIXEL_REP_AUTO, SIXEL_QUALITY_AUTO));
    sixel_dither_set_diffusion_type(dither, SIXEL_DIFFUSE_AUTO);
    libsixel_emit(p, dither, f);
    sixel_dither_unref(dither);
}

// xterm's 256 colours, with a diffusion.
static void libsixel_fixed(const struct picture *p, struct frame *f, int diffusion)
{
    sixel_dither_t *dither = sixel_dither_get(SIXEL_BUILTIN_XTERM256);
    if (dither == NULL)
        die("sixel_dither_get", "no xterm256 palette");
    sixel_dither_set_pixelformat(dither, SIXEL_PIXELFORMAT_RGB888);
    sixel_dither_set_diffusion_type(dither, diffusion);
    libsixel_emit(p, dither, f);
    sixel_dither_unref(dither);
}

// A work factor below 0 stands for the library's default.
static void chafa(const struct picture *p, struct frame *f, float work_factor, ChafaDitherMode dither)
{
    ChafaCanvasConfig *config = chafa_canvas_config_new();
    chafa_canvas_config_set_geometry(config, p->width / CELL_WIDTH, p->height / CELL_HEIGHT);
    chafa_canvas_config_set_cell_geometry(config, CELL_WIDTH, CELL_HEIGHT);
    chafa_canvas_config_set_pixel_mode(config, CHAFA_PIXEL_MODE_SIXELS);
    chafa_canvas_config_set_canvas_mode(config, CHAFA_CANVAS_MODE_TRUECOLOR);
    chafa_canvas_config_set_dither_mode(config, dither);
    if (work_factor >= 0)
        chafa_canvas_config_set_work_factor(config, work_factor);
    ChafaCanvas *canvas = chafa_canvas_new(config);
    chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, p->rgb, p->width, p->height, 3 * p->width);
    GString *printed = chafa_canvas_print(canvas, NULL);
    frame_add(f, printed->str, printed->len);
    g_string_free(printed, TRUE);
    chafa_canvas_unref(canvas);
    chafa_canvas_config_unref(config);
}

static bool encode(const char *encoder, const struct picture *p, struct frame *f)
{
    f->size = 0;
    if (strcmp(encoder, "libsixel") == 0)
        libsixel_adaptive(p, f);
    else if (strcmp(encoder, "libsixel-fixed") == 0)
        libsixel_fixed(p, f, SIXEL_DIFFUSE_FS);
    else if (strcmp(encoder, "libsixel-fastest") == 0)
        libsixel_fixed(p, f, SIXEL_DIFFUSE_NONE);
    else if (strcmp(encoder, "libsixel-ordered") == 0)
        libsixel_fixed(p, f, SIXEL_DIFFUSE_A_DITHER);
    else if (strcmp(encoder, "chafa") == 0)
        chafa(p, f, -1, CHAFA_DITHER_MODE_NONE);
    else if (strcmp(encoder, "chafa-fastest") == 0)
        chafa(p, f, 0, CHAFA_DITHER_MODE_NONE);
    else if (strcmp(encoder, "chafa-diffusion") == 0)
        chafa(p, f, -1, CHAFA_DITHER_MODE_DIFFUSION);
    else
        return false;
    return true;
}

static void save(const char *name, const struct frame *f)
{
    FILE *out = fopen(name, "wb");
    if (out == NULL || fwrite(f->data, 1, f->size, out) != f->size || fclose(out) != 0)
        die(name, "cannot write");
}

static struct picture load(char **argv)
{
    struct picture p = {.width = atoi(argv[1]), .height = atoi(argv[2])};
    if (p.width <= 0 || p.height <= 0 || p.width % CELL_WIDTH != 0 || p.height % CELL_HEIGHT != 0)
        die("size", "want a multiple of 8x12 pixels");
    size_t size = (size_t)p.width * (size_t)p.height * 3;
    p.rgb = malloc(size);
    p.scratch = malloc(size);
    FILE *in = fopen(argv[3], "rb");
    if (p.rgb == NULL || p.scratch == NULL || in == NULL || fread(p.rgb, 1, size, in) != size)
        die(argv[3], "cannot read the picture");
    fclose(in);
    return p;
}

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("arguments", "want WIDTH HEIGHT FILE");
    struct picture p = load(argv);
    size_t size = (size_t)p.width * (size_t)p.height * 3;
    struct frame f = {0};
    char encoder[32], out[4096];
    int frames;
    while (scanf("%31s %d %4095s", encoder, &frames, out) == 3) {
        long long spent = 0;
        for (int i = 0; i < frames; i++) {
            memcpy(p.scratch, p.rgb, size);
            long long start = now();
            if (!encode(encoder, &p, &f))
                die(encoder, "no such encoder");
            spent += now() - start;
        }
        if (strcmp(out, "-") != 0)
            save(out, &f);
        printf("%lld %zu\n", spent, f.size);
        fflush(stdout);
    }
    return 0;
}
