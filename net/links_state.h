/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/links_state.h - what the parts of net/links.h share. links.c has what is said and
 * heard, links_send.c the frames that go out, links_receive.c those that come in,
 * links_life.c how all begins, the pulse, and how it ends.
 */
#ifndef STRADS_NET_LINKS_STATE_H
#define STRADS_NET_LINKS_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/frame.h"
#include "net/links.h"

/* A record that waits for its frame, or has come in one. */
typedef struct record {
    struct record *next;
    net_record head;
    net_message *message; /* whose body is the record's; NULL: it has none */
} record;

typedef struct records {
    record *first, *last;
} records;

/* What waits: credits, then control messages, data, and what is told to services. A credit is there
 * before what the handler that gave it back has sent. */
enum { QUEUE_CREDITS, QUEUE_LANES, QUEUE_TOLD = QUEUE_LANES + NET_N_LANES, N_QUEUES };

/* A frame with a body of 64 KiB is received at once. */
enum { FRAME_RECORDS = 64, RECEIVE_BYTES = 96 * 1024 };

/* Parts of a process that wait to be taken, at most. A process can be two ahead of another:
 * for more it needs parts of that one. */
enum { MOST_PARTS = 256 };

/* The frame that is being sent: its head and those of its records, and small bodies,
 * are in `heads`, other bodies are lent. Large frames are sent by a thread of the link: adding
 * them up and handing them over is work that keeps neither their poster, who has more to do, nor
 * the library's threads, which serve all links. It starts with the first. */
typedef struct sending {
    pthread_t thread;
    bool runs, over;     /* there is such a thread; there will be none any more */
    bool handed;         /* `frame`, to the thread; all three under the link's lock */
    pthread_cond_t told; /* the thread, of what is handed, and that it ends */
    net_frame frame;
    records records; /* freed when it is out */
    unsigned char *heads;
    size_t heads_capacity;
    struct iovec parts[2 * FRAME_RECORDS + 2];
    int n_parts;
} sending;

typedef enum receiving_what {
    RECEIVING_FRAME,
    RECEIVING_RECORD,
    RECEIVING_BODY,
    RECEIVING_END /* after a good-bye: nothing */
} receiving_what;

/* The frame that is being received. It is parsed as it comes, and acted on when it is
 * whole and its sum is right. */
typedef struct receiving {
    pthread_t thread; /* a change of threads for each piece that comes would cost more */
    bool runs;
    unsigned char *buffer; /* [RECEIVE_BYTES] */
    size_t begin, end;     /* not yet looked at: begin .. end - 1 */
    struct iovec parts[2]; /* of the read under way */
    receiving_what what;   /* comes next */
    net_frame frame;
    net_sum sum;        /* of the frame so far */
    uint64_t left;      /* bytes of the payload that are yet to come */
    uint32_t n_records; /* so far */
    records records;    /* so far; the last one's body may be incomplete */
    size_t body_have;   /* bytes of that body, padding counted */
    uint64_t n_frames;  /* before this one */
} receiving;

typedef struct net_connection {
    net_links *links;
    uint32_t process;
    net_stream *stream; /* NULL: this process */
    char *name;
    net_id first, n; /* its nodes */

    bool has_lock;
    pthread_mutex_t lock;      /* of what is below, but `in` */
    pthread_cond_t changed;    /* a part came, the good-bye is out, or it is lost */
    records waiting[N_QUEUES]; /* goes in this order */
    bool must_flush;           /* when the frame is out */
    bool busy;                 /* a frame is being sent */
    bool must_beat, must_bye;
    record *farewell;               /* words of the good-bye; NULL: all is well */
    bool said_bye, heard_bye, lost; /* lost: ended, well or not */
    sending out;                    /* but for its thread, of who has set `busy` */
    uint64_t n_frames;
    size_t busy_bytes; /* about, of the frame that is being sent */
    double busy_since, last_sent;
    uint32_t *used[NET_N_LANES]; /* [nodes here][its nodes] credits that are out */
    uint32_t *held[NET_N_LANES]; /* alike, of messages that came and are not handled yet */
    records parts;               /* that came */
    uint32_t n_parts;            /* of them */
    double waits_since;          /* for a part; 0: nobody does */
    uint32_t n_owed;             /* messages that it has not handled */
    double owed_since;           /* the last time that it had handled all */

    receiving in; /* of its thread alone */
    _Atomic double last_heard;
} net_connection;

struct net_links {
    net_links_options options;
    uint32_t n_nodes;
    net_id first, n;                /* nodes of this process */
    net_links_cost cost;            /* of an exchange */
    net_connection *link;           /* [n_processes] */
    _Atomic bool broken;            /* a worker has left: no exchange is whole any more */
    _Atomic bool failed;            /* a process was lost, or gave up */
    _Atomic double failed_at;       /* its last sign of life */
    _Atomic(net_connection *) lost; /* the first that was; NULL: none */
    size_t n_errors;                /* logged before there were links */
    _Atomic uint32_t n_waiting;     /* nodes here that wait for what services tell them */
    _Atomic double waiting_since;   /* when the last of them began */

    bool has_locks;
    pthread_rwlock_t sink_lock; /* of `sink`; held for reading while it is called */
    const net_sink *sink;       /* points to `kept`; NULL: none yet, or no more */
    net_sink kept;
    bool detached;
    pthread_mutex_t early_lock; /* of what is below */
    bool *left;                 /* [n_nodes], of other processes */
    records early;              /* came before there was a sink */

    pthread_t pulse;
    bool told_stuck;            /* of the pulse */
    pthread_mutex_t pulse_lock; /* of `ended` */
    pthread_cond_t pulse_ended;
    bool ended;
};

/* The place of a node here and one there among the credits of a link. */
static inline size_t links_pair(const net_connection *link, net_id here, net_id there)
{
    return (size_t) (here - link->links->first) * link->n + (there - link->first);
}

/* Of two processes the later one says good-bye first, and closes when it is answered. Then
 * nothing of either can be on its way any more. */
static inline bool links_answers(const net_connection *link)
{
    return link->process > link->links->options.me;
}

/* ---- records ---- */

/* Takes the message, also when it fails: NULL, no memory. */
record *links_record(const net_record *head, net_message *message);
void links_record_destroy(record *one);
void links_records_add(records *list, record *one);
record *links_records_take(records *list); /* NULL: it is empty */
void links_records_clear(records *list);

/* ---- links.c, on any thread ---- */

/* The end of a link, for a reason in words; logged unless it has said good-bye. That its
 * nodes have left is heard when all that came is taken apart. */
void links_lose(net_connection *link, const char *why);
/* Its process was lost, or gave up. */
void links_fail(net_connection *link);
/* A node of another process has left. */
void links_hear_left(net_links *links, net_id node);
/* Hands over a message for a node of this process. */
void links_deliver(net_links *links, record *one);
/* Wakes who waits for parts. */
void links_break(net_links *links);

/* ---- links_send.c ---- */

/* Sends what waits, if no frame is under way; then it goes with the next. */
void links_kick(net_connection *link);
/* Waits for the thread of large frames, whose stream is closed. */
void links_send_stop(net_connection *link);

/* ---- links_receive.c ---- */

STRADS_MUST_CHECK strads_status links_receive_init(net_connection *link);
STRADS_MUST_CHECK strads_status links_receive_start(net_connection *link);
/* Waits for its thread, which ends with the stream; nothing if there is none. */
void links_receive_stop(net_connection *link);
void links_receive_fini(net_connection *link);

#endif
