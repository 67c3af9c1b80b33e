/* SPDX-License-Identifier: GPL-3.0-or-later */
/* data/share_format.c - what reading a text in parts has to know of its format. */
#include "data/share_text.h"

static strads_status begin_csv(share_format *out, data_input *input, const data_source *source)
{
    const strads_status status = csv_header_read(&out->csv, input, source);
    if (status == STRADS_OK) {
        out->n_cols = out->csv.n_cols;
        out->has_target = csv_header_has_target(&out->csv);
    }
    return status;
}

static strads_status begin_market(share_format *out, data_input *input, const data_source *source)
{
    const strads_status status = data_market_begin(&out->market, input, source);
    if (status == STRADS_OK) {
        out->n_cols = (size_t) out->market.n_cols;
        out->placed = true;
    }
    return status;
}

strads_status share_format_begin(share_format *out, data_input *input, const data_source *source,
                                 data_format format)
{
    share_format text = {.format = format};
    strads_status status = STRADS_OK;
    if (format == DATA_CSV) {
        status = begin_csv(&text, input, source);
    } else if (format == DATA_MATRIX_MARKET) {
        status = begin_market(&text, input, source);
    } else {
        text.n_cols = source->n_cols;
        text.has_target = true;
    }
    if (status == STRADS_OK) {
        text.begin = format == DATA_LIBSVM ? 0 : data_input_offset(input);
        *out = text;
    }
    return status;
}

share_head share_format_head(const share_format *format)
{
    const data_market *market = &format->market;
    return (share_head){.begin = format->begin,
                        .n_cols = format->n_cols,
                        .n_rows = market->n_rows,
                        .n_entries = market->n_entries,
                        .kind = (uint64_t) market->array << 1 | market->symmetric};
}

void share_format_fini(share_format *format)
{
    csv_header_fini(&format->csv);
}

data_lines share_format_lines(const share_format *format, const data_source *source)
{
    data_lines lines = {.path = source->path, .read = data_libsvm_read_piece, .context = source};
    if (format->format == DATA_CSV) {
        lines.read = data_csv_read_piece;
        lines.context = &format->csv;
    } else if (format->format == DATA_MATRIX_MARKET) {
        lines.read = data_market_read_piece;
        lines.context = &format->market;
    }
    return lines;
}

/* More or fewer lines than are stated come before what is wrong behind them. */
static strads_status check_market(const share_format *format, const data_source *source,
                                  const share_total *total)
{
    const uint64_t stated = data_market_lines(&format->market);
    if (total->fault == NULL && total->n_lines == stated) {
        return STRADS_OK;
    }
    const strads_status status =
        data_market_check_lines(source, total->fault != NULL ? total->line : SIZE_MAX);
    if (status == STRADS_OK && total->fault == NULL) {
        strads_error("%s: was changed while it was read", source->path);
        return STRADS_ERR_DATA;
    }
    return status;
}

strads_status share_format_check(const share_format *format, const data_source *source,
                                 const share_total *total)
{
    const char *path = source->path;
    size_t n_cols = format->n_cols;
    if (format->format == DATA_MATRIX_MARKET) {
        const strads_status status = check_market(format, source, total);
        if (status != STRADS_OK) {
            return status;
        }
    }
    if (total->fault != NULL) {
        strads_error("%s", total->fault);
        return STRADS_ERR_DATA;
    }
    if (total->n_rows >= UINT32_MAX) {
        strads_error("%s: more than %u rows", path, UINT32_MAX - 1);
        return STRADS_ERR_DATA;
    }
    return format->format == DATA_CSV ? data_csv_check_rows(path, total->n_rows)
           : format->format == DATA_LIBSVM
               ? data_libsvm_width(path, total->n_rows, total->max_index, &n_cols)
               : STRADS_OK;
}
