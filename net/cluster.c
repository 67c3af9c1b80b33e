/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/cluster.c - the section `cluster` of a configuration, read and checked. */
#include "net/cluster.h"

#include <math.h>
#include <string.h>

#include "net/cluster_words.h"

static const strads_option table[] = {
    {.key = "cluster.nodes",
     .type = STRADS_INT,
     .fallback = "0",
     .min = 0,
     .max = 1024,
     .unit = "machines",
     .help = "Simulated machines, one worker each; the coordinator has one of its own beside "
             "them. 0: as many as run.workers says. For run.driver: sim, as all of this "
             "section."},
    {.key = "cluster.latency",
     .type = STRADS_REAL,
     .fallback = "1e-4",
     .min = 0,
     .max = 3600,
     .unit = "seconds",
     .help = "Time a message is under way, one way, beside what its size takes."},
    {.key = "cluster.bandwidth",
     .type = STRADS_REAL,
     .fallback = "10",
     .min = 1e-6,
     .max = 1e6,
     .unit = "Gbit/s",
     .help = "Rate of a link, in each direction."},
    {.key = "cluster.links",
     .type = STRADS_LIST,
     .help = "Links that differ, `WHO to WHO [latency T] [bandwidth G]` each: `workers 0-3 to "
             "workers 4-7 latency 0.001 bandwidth 1`. WHO as in cluster.faults."},
    {.key = "cluster.speed",
     .type = STRADS_REALS,
     .fallback = "1",
     .min = 1e-6,
     .max = 1e6,
     .help = "How fast the machines of the workers are, 1 being cluster.unit_ns: one number for "
             "all, or one a worker. The coordinator's is 1."},
    {.key = "cluster.jitter",
     .type = STRADS_REAL,
     .fallback = "0",
     .min = 0,
     .max = 1000,
     .help = "A message takes, at random, up to this share of the latency longer."},
    {.key = "cluster.timeout",
     .type = STRADS_REAL,
     .fallback = "1",
     .min = 0,
     .max = 1e9,
     .above_min = true,
     .unit = "seconds",
     .help = "A machine that is not heard of for this long is given up."},
    {.key = "cluster.cost",
     .type = STRADS_CHOICE,
     .fallback = "units",
     .choices = "units | clock",
     .help = "What time work takes: that of the units it states, the same at every run; or what "
             "its thread took here."},
    {.key = "cluster.unit_ns",
     .type = STRADS_REAL,
     .fallback = "1",
     .min = 1e-3,
     .max = 1e6,
     .unit = "nanoseconds",
     .help = "Time of a unit of work, about a multiplication, on a machine of speed 1; 1 is for a "
             "core of some 2.5 GHz."},
    {.key = "cluster.faults",
     .type = STRADS_LIST,
     .help = "What goes wrong, a sentence each: `lose WHO at T`; `slow WHO by F [from T] [to T]`; "
             "`cut WHO [from T] [to T]` (from all others); `straggle WHO by F every T for T [from "
             "T] [to T]` (each at random, every so often on average). WHO is `coordinator`, "
             "`worker 3`, `workers 0-2`, or `workers` for all of them; workers count from 0. T is "
             "in seconds since the run began, F a factor of at least 1; without from it holds "
             "from the beginning, without to for ever."},
};

const strads_option *net_cluster_options(size_t *n)
{
    *n = sizeof(table) / sizeof(table[0]);
    return table;
}

static strads_status read_n_workers(net_cluster *cluster, const strads_config *config,
                                    uint32_t n_workers)
{
    const uint32_t n_nodes = (uint32_t) strads_config_int(config, "cluster.nodes");
    if (n_nodes > 0 && n_workers > 0 && n_nodes != n_workers) {
        strads_error("%s: cluster.nodes: %u is not run.workers, %u: a machine has one worker; one "
                     "of the two is enough",
                     strads_config_place(config, "cluster.nodes"), n_nodes, n_workers);
        return STRADS_ERR_USAGE;
    }
    cluster->n_workers = n_nodes > 0 ? n_nodes : n_workers;
    if (cluster->n_workers == 0) {
        strads_error("%s: cluster.nodes: 0 machines: it, or run.workers, is 1 to 1024",
                     strads_config_place(config, "cluster.nodes"));
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

static strads_status read_speeds(net_cluster *cluster, const strads_config *config)
{
    const size_t n = strads_config_list_size(config, "cluster.speed");
    if (n != 1 && n != cluster->n_workers) {
        strads_error("%s: cluster.speed: %zu speeds for %u workers; give one for all, or one a "
                     "worker",
                     strads_config_place(config, "cluster.speed"), n, cluster->n_workers);
        return STRADS_ERR_USAGE;
    }
    cluster->speed = strads_alloc_array((size_t) cluster->n_workers + 1, sizeof(double));
    if (cluster->speed == NULL) {
        return STRADS_ERR_NOMEM;
    }
    cluster->speed[NET_COORDINATOR] = 1.0;
    for (uint32_t i = 0; i < cluster->n_workers; i++) {
        cluster->speed[i + 1] = strads_config_list_real(config, "cluster.speed", n == 1 ? 0 : i);
    }
    return STRADS_OK;
}

static net_sentence sentence_of(const net_cluster *cluster, const strads_config *config,
                                const char *key, size_t i)
{
    return (net_sentence){.place = strads_config_list_place(config, key, i),
                          .key = key,
                          .text = strads_config_list_item(config, key, i),
                          .n_workers = cluster->n_workers};
}

/* ---- links ---- */

/* The links of a cluster while they are read. */
typedef struct link_list {
    net_special_link *items;
    size_t n, capacity;
    uint16_t *named; /* [n_machines][n_machines] which sentence names the pair, from 1 on */
    size_t n_machines;
} link_list;

static void name_machine(net_id id, char out[32])
{
    if (id == NET_COORDINATOR) {
        snprintf(out, 32, "the coordinator");
    } else {
        snprintf(out, 32, "worker %u", id - 1);
    }
}

/* Adds a link, once for each pair that the sentence names. */
static strads_status add_link(link_list *list, const net_special_link *special,
                              const net_sentence *sentence, uint16_t number)
{
    const size_t low = special->a < special->b ? special->a : special->b;
    const size_t high = special->a < special->b ? special->b : special->a;
    uint16_t *named = &list->named[low * list->n_machines + high];
    if (*named == number) {
        return STRADS_OK;
    }
    if (*named != 0) {
        char a[32], b[32];
        name_machine(special->a, a);
        name_machine(special->b, b);
        return net_sentence_refuse(sentence, "an earlier one is about %s and %s too", a, b);
    }
    const strads_status status =
        strads_reserve(&list->items, &list->capacity, list->n + 1, sizeof(*list->items));
    if (status == STRADS_OK) {
        list->items[list->n++] = *special;
        *named = number;
    }
    return status;
}

static strads_status add_links(link_list *list, const net_link_rule *links,
                               const net_sentence *sentence, uint16_t number)
{
    const size_t n_before = list->n;
    for (net_id a = links->a.first; a <= links->a.last; a++) {
        for (net_id b = links->b.first; b <= links->b.last; b++) {
            const net_special_link special = {.a = a, .b = b, .link = links->link};
            const strads_status status =
                a == b ? STRADS_OK : add_link(list, &special, sentence, number);
            if (status != STRADS_OK) {
                return status;
            }
        }
    }
    return list->n > n_before ? STRADS_OK
                              : net_sentence_refuse(sentence, "a machine has no link to itself");
}

/* Every wrong sentence is reported. */
static strads_status read_links(net_cluster *cluster, const strads_config *config)
{
    const size_t n = strads_config_list_size(config, "cluster.links");
    link_list list = {.n_machines = (size_t) cluster->n_workers + 1};
    if (n == 0) {
        return STRADS_OK;
    }
    list.named = strads_calloc(list.n_machines * list.n_machines, sizeof(*list.named));
    strads_status first = list.named != NULL ? STRADS_OK : STRADS_ERR_NOMEM;
    for (size_t i = 0; i < n && first != STRADS_ERR_NOMEM; i++) {
        const net_sentence sentence = sentence_of(cluster, config, "cluster.links", i);
        net_link_rule links;
        strads_status status = net_link_rule_read(&links, &sentence, cluster->link);
        if (status == STRADS_OK) {
            status = add_links(&list, &links, &sentence, (uint16_t) (i + 1));
        }
        first = status != STRADS_OK ? status : first;
    }
    strads_free(list.named);
    cluster->special = list.items;
    cluster->n_special = list.n;
    return first;
}

/* ---- faults ---- */

static strads_status read_faults(net_cluster *cluster, const strads_config *config)
{
    const size_t n = strads_config_list_size(config, "cluster.faults");
    cluster->faults = strads_alloc_array(n, sizeof(*cluster->faults));
    if (cluster->faults == NULL) {
        return STRADS_ERR_NOMEM;
    }
    strads_status first = STRADS_OK;
    for (size_t i = 0; i < n; i++) {
        const net_sentence sentence = sentence_of(cluster, config, "cluster.faults", i);
        const strads_status status = net_fault_read(&cluster->faults[i], &sentence);
        first = first == STRADS_OK ? status : first;
    }
    cluster->n_faults = n;
    return first;
}

/* ---- the whole ---- */

strads_status net_cluster_read(net_cluster **out, const strads_config *config, uint32_t n_workers,
                               uint64_t seed)
{
    static strads_status (*const parts[])(net_cluster *, const strads_config *) = {
        read_speeds, read_links, read_faults};
    net_cluster *cluster = strads_calloc(1, sizeof(*cluster));
    if (cluster == NULL) {
        return STRADS_ERR_NOMEM;
    }
    cluster->seed = seed;
    cluster->link.latency = strads_config_real(config, "cluster.latency");
    cluster->link.bandwidth = strads_config_real(config, "cluster.bandwidth") * NET_GBIT;
    cluster->jitter = strads_config_real(config, "cluster.jitter");
    cluster->timeout = strads_config_real(config, "cluster.timeout");
    cluster->unit_ns = strads_config_real(config, "cluster.unit_ns");
    const bool by_clock = strcmp(strads_config_text(config, "cluster.cost"), "clock") == 0;
    cluster->costing = by_clock ? NET_COST_CLOCK : NET_COST_UNITS;

    strads_status first = read_n_workers(cluster, config, n_workers);
    bool go_on = first == STRADS_OK;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && go_on; i++) {
        const strads_status status = parts[i](cluster, config);
        first = first == STRADS_OK ? status : first;
        go_on = status != STRADS_ERR_NOMEM;
    }
    if (first != STRADS_OK) {
        net_cluster_destroy(cluster);
        return first;
    }
    *out = cluster;
    return STRADS_OK;
}

void net_cluster_destroy(net_cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    strads_free(cluster->special);
    strads_free(cluster->speed);
    strads_free(cluster->faults);
    strads_free(cluster);
}
