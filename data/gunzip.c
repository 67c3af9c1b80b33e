/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/gunzip.c - gzip data as the bytes that went in. */
#include "data/gunzip.h"

#include <string.h>
#include <zlib.h>

#include "data/input.h"

enum { GZIP_WINDOW = 15 + 16, INFLATE_MAX_BYTES = 1 << 30 };

struct data_gunzip {
    const char *path;
    z_stream z;
    bool in_member; /* between the start and the end of a gzip member */
    unsigned char bytes[DATA_GZIP_BYTES];
};

static void *gzip_alloc(void *opaque, uInt items, uInt bytes)
{
    (void) opaque;
    return strads_alloc_array(items, bytes);
}

static void gzip_free(void *opaque, void *memory)
{
    (void) opaque;
    strads_free(memory);
}

strads_status data_gunzip_create(data_gunzip **out, const char *path, const void *bytes, size_t n)
{
    data_gunzip *gunzip = strads_alloc(sizeof(*gunzip));
    if (gunzip == NULL) {
        return data_no_memory(path);
    }
    if (n > 0) {
        memcpy(gunzip->bytes, bytes, n);
    }
    gunzip->path = path;
    gunzip->z = (z_stream){
        .next_in = gunzip->bytes, .avail_in = (uInt) n, .zalloc = gzip_alloc, .zfree = gzip_free};
    gunzip->in_member = true;
    if (inflateInit2(&gunzip->z, GZIP_WINDOW) != Z_OK) {
        strads_free(gunzip);
        return data_no_memory(path);
    }
    *out = gunzip;
    return STRADS_OK;
}

void data_gunzip_destroy(data_gunzip *gunzip)
{
    if (gunzip != NULL) {
        inflateEnd(&gunzip->z);
        strads_free(gunzip);
    }
}

static strads_status refill(data_gunzip *gunzip, data_gzip_reader more, void *context)
{
    size_t n = 0;
    const strads_status status = more(context, gunzip->bytes, DATA_GZIP_BYTES, &n);
    gunzip->z.next_in = gunzip->bytes;
    gunzip->z.avail_in = (uInt) n;
    return status;
}

/* One call of inflate, which starts a new member where the last one has ended. */
static strads_status inflate_some(data_gunzip *gunzip)
{
    if (!gunzip->in_member) {
        inflateReset(&gunzip->z);
        gunzip->in_member = true;
    }
    const int result = inflate(&gunzip->z, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
        gunzip->in_member = false;
    } else if (result == Z_MEM_ERROR) {
        return data_no_memory(gunzip->path);
    } else if (result != Z_OK) {
        strads_error("%s: damaged gzip data: %s", gunzip->path,
                     gunzip->z.msg != NULL ? gunzip->z.msg : "no progress");
        return STRADS_ERR_DATA;
    }
    return STRADS_OK;
}

/* At most INFLATE_MAX_BYTES of them. */
static strads_status read_some(data_gunzip *gunzip, data_gzip_reader more, void *context, void *out,
                               size_t n, size_t *n_read)
{
    z_stream *z = &gunzip->z;
    const uInt wanted = (uInt) (n < INFLATE_MAX_BYTES ? n : INFLATE_MAX_BYTES);
    z->next_out = out;
    z->avail_out = wanted;
    while (z->avail_out > 0) {
        strads_status status = z->avail_in == 0 ? refill(gunzip, more, context) : STRADS_OK;
        if (status == STRADS_OK && z->avail_in == 0) {
            if (!gunzip->in_member) {
                break;
            }
            strads_error("%s: the gzip data is cut short", gunzip->path);
            return STRADS_ERR_DATA;
        }
        if (status == STRADS_OK) {
            status = inflate_some(gunzip);
        }
        if (status != STRADS_OK) {
            return status;
        }
    }
    *n_read = wanted - z->avail_out;
    return STRADS_OK;
}

strads_status data_gunzip_read(data_gunzip *gunzip, data_gzip_reader more, void *context, void *out,
                               size_t n, size_t *n_read)
{
    size_t total = 0;
    size_t got = 0;
    do {
        const strads_status status =
            read_some(gunzip, more, context, (char *) out + total, n - total, &got);
        if (status != STRADS_OK) {
            return status;
        }
        total += got;
    } while (total < n && got > 0);
    *n_read = total;
    return STRADS_OK;
}
