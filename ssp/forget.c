/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ssp/forget.c - what a session forgets when its rows take more than they may: a clock hand
 * goes over the map, passes what was used since it last came by, and takes the rest.
 */
#include "ssp/session_state.h"

static bool is_held(const ssp_session *session, const ssp_own_row *row)
{
    return row->period == session->clock || row->logged != SSP_NOT_LOGGED || row->n_asked > 0 ||
           row->sent != NULL;
}

static bool has_room(const ssp_session *session, size_t bytes)
{
    return session->n_bytes + bytes <= session->max_bytes;
}

/* Two rounds: the first may find all rows used. */
static void sweep(ssp_table *table, size_t bytes)
{
    ssp_session *session = table->session;
    ssp_map *map = &table->rows;
    size_t n = 2 * map->capacity;
    while (n > 0 && !has_room(session, bytes)) {
        table->hand = table->hand < map->capacity ? table->hand : 0;
        ssp_map_entry *entry = &map->entries[table->hand];
        ssp_own_row *row = entry->value;
        if (row != NULL && !row->used && !is_held(session, row)) {
            ssp_map_remove(map, entry); /* and look at what took its place */
            session->n_bytes -= table->row_bytes;
            session->stats.n_forgotten++;
            continue;
        }
        if (row != NULL) {
            row->used = false;
        }
        table->hand++;
        n--;
    }
}

void ssp_cache_make_room(ssp_table *table)
{
    ssp_session *session = table->session;
    const size_t bytes = table->row_bytes;
    if (session->max_bytes == 0 || has_room(session, bytes) ||
        session->full == session->clock + 1) {
        return;
    }
    for (ssp_table *one = session->tables; one != NULL && !has_room(session, bytes);
         one = one->next) {
        sweep(one, bytes);
    }
    if (!has_room(session, bytes)) {
        session->full = session->clock + 1;
    }
}
