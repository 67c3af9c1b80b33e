/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ssp/push.c - eager tables: rows that have changed are sent to the sessions that have read
 * them, whenever the slowest clock has moved. */
#include <string.h>

#include "ssp/server_state.h"

strads_status ssp_push_note(ssp_far_table *table, const uint64_t *keys, ssp_shared_row *const *rows,
                            uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        ssp_wish *wish = ssp_map_find(&table->wishes, keys[i]);
        if (wish == NULL) {
            wish = strads_alloc(sizeof(*wish));
            const strads_status status =
                wish == NULL ? STRADS_ERR_NOMEM : ssp_map_add(&table->wishes, keys[i], wish);
            if (status != STRADS_OK) {
                strads_free(wish);
                return status;
            }
        }
        /* Read before the row is copied: at worst it is sent once more. */
        *wish =
            (ssp_wish){.row = rows[i],
                       .version = atomic_load_explicit(&rows[i]->version, memory_order_relaxed)};
    }
    return STRADS_OK;
}

/* The changed rows of one table that are sent together. */
typedef struct parcel {
    uint64_t *keys;        /* [most] */
    ssp_shared_row **rows; /* [most] */
    uint32_t n, most;
} parcel;

static strads_status send_parcel(ssp_server *server, ssp_peer *peer, uint32_t table,
                                 uint64_t slowest, parcel *out, bool last)
{
    const ssp_head head = {.table = table, .flags = last ? SSP_PUSHED : 0, .clock = slowest};
    const uint32_t n = out->n;
    out->n = 0;
    return ssp_server_send_rows(server, peer, &head, out->keys, out->rows, n);
}

static strads_status push_table(ssp_server *server, ssp_peer *peer, uint32_t table,
                                uint64_t slowest, parcel *out)
{
    const ssp_map *wishes = &peer->tables[table].wishes;
    strads_status status = STRADS_OK;
    for (size_t i = 0; i < wishes->capacity && status == STRADS_OK; i++) {
        ssp_wish *wish = wishes->entries[i].value;
        if (wish == NULL) {
            continue;
        }
        const uint64_t version = atomic_load_explicit(&wish->row->version, memory_order_relaxed);
        if (wish->version == version) {
            continue;
        }
        wish->version = version;
        out->keys[out->n] = wishes->entries[i].key;
        out->rows[out->n++] = wish->row;
        if (out->n == out->most) {
            status = send_parcel(server, peer, table, slowest, out, false);
        }
    }
    return status == STRADS_OK ? send_parcel(server, peer, table, slowest, out, true) : status;
}

static strads_status push_peer(ssp_server *server, ssp_peer *peer, uint64_t slowest)
{
    strads_status status = STRADS_OK;
    for (uint32_t i = 0; i < peer->n_tables && status == STRADS_OK; i++) {
        const ssp_far_table *table = &peer->tables[i];
        if (!table->shared->options.eager || table->wishes.n == 0) {
            continue;
        }
        const size_t most = ssp_batch_rows(table->shared->options.columns);
        parcel out = {.most = (uint32_t) most,
                      .keys = strads_alloc_array(most, sizeof(*out.keys)),
                      .rows = strads_alloc_array(most, sizeof(*out.rows))};
        status = out.keys == NULL || out.rows == NULL ? STRADS_ERR_NOMEM
                                                      : push_table(server, peer, i, slowest, &out);
        strads_free(out.keys);
        strads_free(out.rows);
    }
    return status;
}

strads_status ssp_push_all(ssp_server *server, uint64_t slowest)
{
    strads_status status = STRADS_OK;
    for (uint32_t rank = 0; rank < server->store->clocks.n && status == STRADS_OK; rank++) {
        status = push_peer(server, &server->peers[rank], slowest);
    }
    return status;
}
