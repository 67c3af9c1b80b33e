/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/npy_header.c - the header of a .npy file: format versions 1 to 3 (numpy.lib.format). */
#include <ctype.h>
#include <string.h>

#include "data/npy_parts.h"
#include "data/number.h"

enum {
    PREFIX_BYTES = 10, /* magic, version, a length of two bytes */
    HEADER_ALIGN = 64,
    HEADER_MAX_BYTES = 1 << 16
};

static const char MAGIC[] = "\x93NUMPY";

static strads_status refuse_header(const npy *file, const char *header)
{
    char excerpt[160];
    size_t n = 0;
    for (; n + 1 < sizeof(excerpt) && header[n] != '\0' && header[n] != '\n'; n++) {
        excerpt[n] = isprint((unsigned char) header[n]) ? header[n] : '?';
    }
    excerpt[n] = '\0';
    strads_error("%s: header \"%s\": expected 'descr' '<f8' or '<f4', 'fortran_order' True or "
                 "False, 'shape' of one or two dimensions",
                 file->input->path, excerpt);
    return STRADS_ERR_DATA;
}

/* The text of a key's value, or NULL. */
static const char *value_of(const char *header, const char *key)
{
    const char *p = strstr(header, key);
    if (p == NULL) {
        return NULL;
    }
    p += strlen(key);
    p += strspn(p, " ");
    if (*p != ':') {
        return NULL;
    }
    p++;
    return p + strspn(p, " ");
}

/* "(3,)", "(3, 4)" */
static bool scan_shape(npy *file, const char *p)
{
    if (p == NULL || *p++ != '(') {
        return false;
    }
    file->shape[0] = file->shape[1] = 1;
    for (file->n_dims = 0; *p != ')'; file->n_dims++) {
        if (file->n_dims == 2) {
            return false;
        }
        p = data_number_scan_index(p + strspn(p, " "), &file->shape[file->n_dims]);
        if (p == NULL || (*p != ',' && *p != ')')) {
            return false;
        }
        p += *p == ',';
        p += strspn(p, " ");
    }
    return file->n_dims > 0;
}

static strads_status parse_header(npy *file, const char *header)
{
    const char *type = value_of(header, "'descr'");
    const char *order = value_of(header, "'fortran_order'");
    if (type == NULL || (strncmp(type, "'<f8'", 5) != 0 && strncmp(type, "'<f4'", 5) != 0) ||
        order == NULL || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0) ||
        !scan_shape(file, value_of(header, "'shape'"))) {
        return refuse_header(file, header);
    }
    file->is_float = type[3] == '4';
    file->fortran = order[0] == 'T';
    return STRADS_OK;
}

static strads_status read_exactly(data_input *input, void *out, size_t n)
{
    size_t n_read = 0;
    const strads_status status = data_input_read(input, out, n, &n_read);
    if (status == STRADS_OK && n_read < n) {
        strads_error("%s: cut short: the .npy header is not complete", input->path);
        return STRADS_ERR_DATA;
    }
    return status;
}

/* The length of the header text, which takes 2 bytes in version 1 and 4 later. */
static strads_status read_prefix(data_input *input, size_t *length, uint64_t *values_at)
{
    unsigned char bytes[PREFIX_BYTES + 2] = {0};
    const bool magic = data_input_begins(input, MAGIC, sizeof(MAGIC) - 1);
    strads_status status = magic ? read_exactly(input, bytes, PREFIX_BYTES) : STRADS_OK;
    if (status != STRADS_OK) {
        return status;
    }
    const unsigned version = bytes[6];
    if (version < 1 || version > 3) {
        strads_error("%s: not a .npy file of version 1, 2 or 3", input->path);
        return STRADS_ERR_DATA;
    }
    *length = (size_t) bytes[8] | (size_t) bytes[9] << 8;
    if (version > 1) {
        status = read_exactly(input, bytes + PREFIX_BYTES, 2);
        *length |= (size_t) bytes[10] << 16 | (size_t) bytes[11] << 24;
    }
    *values_at = (version > 1 ? PREFIX_BYTES + 2 : PREFIX_BYTES) + *length;
    return status;
}

strads_status npy_read_header(npy *file, data_input *input)
{
    *file = (npy){.input = input};
    size_t length = 0;
    strads_status status = read_prefix(input, &length, &file->values_at);
    if (status != STRADS_OK) {
        return status;
    }
    if (length > HEADER_MAX_BYTES) {
        strads_error("%s: a .npy header of %zu bytes: at most %d are read", input->path, length,
                     HEADER_MAX_BYTES);
        return STRADS_ERR_DATA;
    }
    char *header = strads_calloc(length + 1, 1);
    if (header == NULL) {
        return data_no_memory(input->path);
    }
    status = read_exactly(input, header, length);
    if (status == STRADS_OK) {
        status = parse_header(file, header);
    }
    strads_free(header);
    return status;
}

/* The header is padded with blanks, so that the values are aligned. */
void npy_write_header(FILE *to, size_t n_rows, size_t n_cols)
{
    char text[HEADER_ALIGN * 3];
    const int length =
        n_cols == 0
            ? snprintf(text, sizeof(text),
                       "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu,), }", n_rows)
            : snprintf(text, sizeof(text),
                       "{'descr': '<f8', 'fortran_order': True, 'shape': "
                       "(%zu, %zu), }",
                       n_rows, n_cols);
    const size_t whole =
        (size_t) (PREFIX_BYTES + length + 1 + HEADER_ALIGN - 1) / HEADER_ALIGN * HEADER_ALIGN;
    const size_t padded = whole - PREFIX_BYTES;
    fwrite(MAGIC, 1, sizeof(MAGIC) - 1, to);
    fputc(1, to);
    fputc(0, to);
    fputc((int) (padded & 255), to);
    fputc((int) (padded >> 8), to);
    fprintf(to, "%-*s\n", (int) padded - 1, text);
}
