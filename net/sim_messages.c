/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * net/sim_messages.c - messages and losses in a simulated cluster.
 *
 * A message takes up the sender's outgoing interface for bytes / bandwidth, one after
 * another; its first byte is on the link for the latency; then it takes up the
 * receiver's incoming interface for the same time. So alone it takes latency +
 * bytes / bandwidth. What has departed is not stopped by a cut.
 */
#include <assert.h>
#include <math.h>

#include "net/sim_state.h"

/* ---- sending ---- */

/* When the message is sent out whole, which takes the interface until then. */
static double send_out(sim_node *from, const sim_channel *channel, const net_message *message,
                       double time, double *departure)
{
    const size_t n_bytes = sizeof(*message) + message->bytes;
    const double seconds = (double) n_bytes / channel->link.bandwidth;
    *departure = fmax(from->out_free, time);
    from->out_free = *departure + seconds;
    from->account.sending += seconds;
    from->account.n_messages++;
    from->account.n_bytes += n_bytes;
    return from->out_free;
}

static double flight(sim_node *from, const sim_channel *channel)
{
    const double jitter = sim_net_of(&from->head)->cluster->jitter;
    const double share = jitter > 0.0 ? jitter * strads_random_uniform(&from->jitter) : 0.0;
    return channel->link.latency * (1.0 + share);
}

/* A message of a machine that ends before it is out, or over a link that is cut for
 * good, vanishes; its credit does not come back. */
static void transmit(sim_node *from, sim_channel *channel, net_message *message, double time)
{
    sim_net *network = sim_net_of(&from->head);
    double departure = 0.0;
    const bool out = send_out(from, channel, message, time, &departure) <= from->lose_at;
    const double free = sim_cuts_clear(network->cluster, channel->from, channel->to, departure);
    if (!out || free == INFINITY) {
        net_message_destroy(message);
        return;
    }
    double *last = &channel->last_reach[message->lane];
    *last = fmax(*last, free + flight(from, channel));
    channel->n_live++;
    sim_queue_put(
        &network->queue,
        (sim_event){.kind = SIM_REACH, .time = *last, .node = channel->to, .message = message});
}

static strads_status try_send(sim_node *from, net_id to, net_message *message)
{
    sim_net *network = sim_net_of(&from->head);
    if (sim_is_out(from) || sim_set_has(from->gone, to)) {
        return STRADS_ERR_CLOSED;
    }
    sim_channel *channel = sim_links_open(&network->links, from->head.id, to);
    if (channel == NULL || sim_queue_reserve(&network->queue) != STRADS_OK) {
        return STRADS_ERR_NOMEM;
    }
    if (channel->used[message->lane] == network->head.options.queue_messages) {
        return STRADS_ERR_AGAIN;
    }
    channel->used[message->lane]++;
    message->from = from->head.id;
    transmit(from, channel, message, from->clock);
    return STRADS_OK;
}

strads_status sim_send_at(sim_node *from, net_id to, net_message *message, double time)
{
    sim_net *network = sim_net_of(&from->head);
    sim_channel *channel = sim_links_open(&network->links, from->head.id, to);
    if (channel == NULL || sim_queue_reserve(&network->queue) != STRADS_OK) {
        net_message_destroy(message);
        return STRADS_ERR_NOMEM;
    }
    message->from = from->head.id;
    transmit(from, channel, message, time);
    return STRADS_OK;
}

strads_status sim_send(net_node *node, net_id to, net_message *message)
{
    sim_node *from = (sim_node *) node;
    sim_enter_driver(from);
    const strads_status status = try_send(from, to, message);
    sim_leave_driver(from);
    return status;
}

/* ---- receiving ---- */

void sim_message_reaches(sim_net *network, sim_node *to, net_message *message)
{
    const sim_channel *channel = sim_links_find(&network->links, message->from, to->head.id);
    const size_t n_bytes = sizeof(*message) + message->bytes;
    to->in_free = fmax(to->in_free, network->now) + (double) n_bytes / channel->link.bandwidth;
    sim_post(network,
             (sim_event){
                 .kind = SIM_ARRIVE, .time = to->in_free, .node = to->head.id, .message = message});
}

void sim_message_arrives(sim_net *network, sim_node *to, net_message *message)
{
    if (to->left) {
        net_message_destroy(message);
        return;
    }
    if (message->lane == NET_SERVICE) {
        sim_give(network, to, message);
        return;
    }
    sim_lane *lane = &to->lanes[message->lane];
    message->next = NULL;
    if (lane->first == NULL) {
        lane->first = message;
    } else {
        lane->last->next = message;
    }
    lane->last = message;
    sim_wake(network, to);
}

static net_message *take_message(sim_node *node)
{
    const net_lane lane = node->lanes[NET_CONTROL].first != NULL ? NET_CONTROL : NET_DATA;
    net_message *message = node->lanes[lane].first;
    if (message != NULL) {
        node->lanes[lane].first = message->next;
    }
    return message;
}

/* The lowest of the peers that the handler is to hear of. */
static net_id take_untold(sim_node *node)
{
    size_t word = 0;
    while (node->untold[word] == 0) {
        word++;
    }
    const uint64_t lowest = node->untold[word] & -node->untold[word];
    node->untold[word] ^= lowest;
    node->n_untold--;
    return (net_id) (64 * word + (size_t) __builtin_ctzll(lowest));
}

bool sim_has_work(const sim_node *node)
{
    return !node->started || node->n_untold > 0 || node->lanes[NET_CONTROL].first != NULL ||
           node->lanes[NET_DATA].first != NULL;
}

/* Control messages pass losses, which pass data of others. */
bool sim_take(sim_node *node)
{
    if (!node->started) {
        node->started = true;
        node->event = (net_event){.kind = NET_STARTED, .peer = node->head.id};
        return true;
    }
    if (node->n_untold > 0 && node->lanes[NET_CONTROL].first == NULL) {
        node->event = (net_event){.kind = NET_LOST, .peer = take_untold(node)};
        return true;
    }
    net_message *message = take_message(node);
    if (message == NULL) {
        return false;
    }
    node->handling = message;
    node->event = (net_event){.kind = NET_MESSAGE, .peer = message->from, .message = message};
    return true;
}

static void tell_handler(sim_net *network, sim_node *node, net_id peer)
{
    node->untold[peer / 64] |= UINT64_C(1) << peer % 64;
    node->n_untold++;
    sim_wake(network, node);
}

void sim_count_handled(sim_net *network, sim_node *node, const net_message *message)
{
    sim_channel *channel = sim_links_find(&network->links, message->from, node->head.id);
    channel->n_live--;
    if (channel->lost && channel->n_live == 0) {
        tell_handler(network, node, message->from);
    }
}

void sim_release(sim_net *network, sim_node *node)
{
    net_message *message = node->handling;
    if (message == NULL) {
        return;
    }
    node->handling = NULL;
    sim_channel *channel = sim_links_find(&network->links, message->from, node->head.id);
    channel->used[message->lane]--;
    sim_count_handled(network, node, message);
    net_message_destroy(message);
}

void sim_drop_messages(sim_node *node)
{
    for (net_message *message = take_message(node); message != NULL; message = take_message(node)) {
        net_message_destroy(message);
    }
    net_message_destroy(node->handling);
    node->handling = NULL;
}

/* ---- losses ---- */

void sim_lose_peer(sim_net *network, sim_node *node, net_id peer)
{
    if (node->left || sim_set_has(node->gone, peer)) {
        return;
    }
    node->gone[peer / 64] |= UINT64_C(1) << peer % 64;
    sim_channel *channel = sim_links_find(&network->links, peer, node->head.id);
    if (channel != NULL && channel->n_live > 0) {
        channel->lost = true;
    } else {
        tell_handler(network, node, peer);
    }
    if (node->exchange != NULL && peer >= 1 && peer <= node->exchange->n_members) {
        sim_close_exchange(network, node);
    }
    if (peer != NET_COORDINATOR) {
        sim_close_wait(network, node);
    }
}

/* The notice departed when the peer left; a cut that it met holds it up. */
void sim_tell_left(sim_net *network, const sim_node *peer)
{
    const net_cluster *cluster = network->cluster;
    for (net_id id = 0; id < network->head.options.n_nodes; id++) {
        const double free = sim_cuts_clear(cluster, peer->head.id, id, peer->left_at);
        if (free == peer->left_at && id != peer->head.id) {
            sim_lose_peer(network, &network->nodes[id], peer->head.id);
        } else if (free < INFINITY && id != peer->head.id) {
            sim_post(network, (sim_event){.kind = SIM_LOST,
                                          .time = free + cluster->link.latency,
                                          .node = id,
                                          .peer = peer->head.id});
        }
    }
}

void sim_tell_missed(sim_net *network, const sim_node *peer)
{
    for (net_id id = 0; id < network->head.options.n_nodes; id++) {
        sim_lose_peer(network, &network->nodes[id], peer->head.id);
    }
}

void sim_sever(sim_net *network, const net_fault *cut)
{
    for (net_id inside = cut->first; inside <= cut->last; inside++) {
        for (net_id id = 0; id < network->head.options.n_nodes; id++) {
            if (id < cut->first || id > cut->last) {
                sim_lose_peer(network, &network->nodes[id], inside);
                sim_lose_peer(network, &network->nodes[inside], id);
            }
        }
    }
}
