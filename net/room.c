/* SPDX-License-Identifier: GPL-3.0-or-later */
/* net/room.c - guests come, are seated, wait and are welcomed. */
#include "net/room.h"

#include "base/clock.h"
#include "base/tasks.h"

/* For a client to prove itself at a door. */
static const double CLIENT_SECONDS = 5.0;
/* Between two looks at what may end the wait. */
static const double LOOK_SECONDS = 0.1;

static const char another_run[] = "it is of another run than mine";

/* ---- guests ---- */

/* Why a guest cannot be of the team; false: it can. */
static bool find_fault(const room *self, const introduction *who, char reason[NET_WHY])
{
    const net_team_options *options = self->options;
    if (who->program != options->program) {
        snprintf(reason, NET_WHY,
                 "it is another program than mine (%016llx, mine is %016llx): all processes of a "
                 "run must be the same build of strads",
                 (unsigned long long) who->program, (unsigned long long) options->program);
        return true;
    }
    if (self->is_first && who->config != 0 && who->config != options->config) {
        snprintf(reason, NET_WHY,
                 "its configuration is another than mine (%016llx, mine is %016llx)",
                 (unsigned long long) who->config, (unsigned long long) options->config);
        return true;
    }
    if (!self->is_first && who->job == 0) {
        snprintf(reason, NET_WHY,
                 "this is where a run's workers find each other: join at the coordinator's "
                 "address");
        return true;
    }
    if (self->is_first ? who->job != 0 : self->job != 0 && who->job != self->job) {
        snprintf(reason, NET_WHY, "%s", another_run);
        return true;
    }
    return false;
}

/* While the run is not known guests only wait, anywhere. */
static seat *find_seat_locked(room *self, const introduction *who)
{
    uint64_t place = who->process;
    if (self->is_first || self->job == 0) {
        place = 1;
        while (place < self->n_seats && self->seats[place].taken) {
            place++;
        }
    }
    if (self->full || place <= self->me || place >= self->n_seats || self->seats[place].taken) {
        return NULL;
    }
    return &self->seats[place];
}

static uint32_t count_locked(const room *self, bool answered)
{
    uint32_t n = 0;
    for (uint32_t p = self->me + 1; p < self->n_seats; p++) {
        n += answered ? self->seats[p].answered : self->seats[p].taken;
    }
    return n;
}

/* Of a guest at the coordinator's door. */
static void tell(room *self, const introduction *who, const char *what)
{
    if (self->is_first && !self->options->quiet) {
        pthread_mutex_lock(&self->lock);
        const uint32_t n = count_locked(self, false), all = self->n_seats - self->me - 1;
        pthread_mutex_unlock(&self->lock);
        strads_info("pid %u on %s %s: %u of %u are here", who->self.pid, who->self.host, what, n,
                    all);
    }
}

static void came(void *context, net_guest *guest)
{
    room *self = context;
    introduction who;
    char reason[NET_WHY];
    size_t bytes = 0;
    const void *said = net_guest_introduction(guest, &bytes);
    if (!roster_introduction(&who, said, bytes)) {
        net_guest_refuse(guest, "its introduction is not that of this version of strads");
        return;
    }
    pthread_mutex_lock(&self->lock);
    bool bad = find_fault(self, &who, reason);
    seat *place = bad ? NULL : find_seat_locked(self, &who);
    if (!bad && place == NULL) {
        snprintf(reason, sizeof(reason), "all places of this run are taken");
        bad = true;
    }
    if (!bad) {
        roster_see(&who.self, net_guest_peer(guest));
        place->who = who;
        place->guest = guest;
        place->taken = true;
        pthread_cond_signal(&self->changed);
    }
    pthread_mutex_unlock(&self->lock);
    if (bad) {
        net_guest_refuse(guest, reason);
    } else {
        tell(self, &who, "has come");
    }
}

static void gone(void *context, net_guest *guest)
{
    room *self = context;
    bool mine = false;
    introduction who = {0};
    pthread_mutex_lock(&self->lock);
    for (uint32_t p = 0; p < self->n_seats; p++) {
        if (self->seats[p].guest == guest) {
            self->seats[p].guest = NULL;
            self->seats[p].taken = false;
            who = self->seats[p].who;
            mine = true;
        }
    }
    pthread_mutex_unlock(&self->lock);
    if (mine) {
        net_guest_refuse(guest, "it has hung up");
        tell(self, &who, "has hung up");
    }
}

static void ready(void *context, net_stream *stream)
{
    seat *place = context;
    pthread_mutex_lock(&place->room->lock);
    place->stream = stream;
    place->answered = true;
    pthread_cond_signal(&place->room->changed);
    pthread_mutex_unlock(&place->room->lock);
}

/* ---- the room ---- */

void room_close(room *self)
{
    net_door_close(self->door);
    self->door = NULL;
}

void room_fini(room *self)
{
    room_close(self);
    for (uint32_t p = 0; p < NET_TEAM_MAX; p++) {
        net_stream_destroy(self->seats[p].stream);
    }
    strads_free(self->seats);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
}

strads_status room_init(room *self, const net_team_options *options, bool is_first)
{
    *self = (room){.options = options,
                   .heartbeat = options->heartbeat,
                   .timeout = options->timeout,
                   .patience = options->patience,
                   .is_first = is_first,
                   .n_seats = NET_TEAM_MAX};
    self->seats = strads_calloc(NET_TEAM_MAX, sizeof(*self->seats));
    if (self->seats == NULL) {
        return STRADS_ERR_NOMEM;
    }
    for (uint32_t p = 0; p < NET_TEAM_MAX; p++) {
        self->seats[p].room = self;
    }
    if (strads_cond_init(&self->changed) != STRADS_OK) {
        strads_free(self->seats);
        return STRADS_ERR_SYSTEM;
    }
    pthread_mutex_init(&self->lock, NULL);
    return STRADS_OK;
}

/* Without a key only this machine may come in. */
static strads_status check_address(const char *text, const net_key *key)
{
    net_url url;
    const strads_status status = net_url_read(&url, text, true);
    if (status != STRADS_OK) {
        return status;
    }
    if (!key->given && !net_url_is_local(&url)) {
        strads_error("%s can be reached from other machines: that takes a key that all processes "
                     "share (strads key new FILE makes one; net.key_file or STRADS_KEY_FILE "
                     "names it)",
                     text);
        return STRADS_ERR_USAGE;
    }
    return STRADS_OK;
}

strads_status room_open(room *self, const char *url)
{
    const net_team_options *options = self->options;
    const net_door_options door = {.url = url,
                                   .tls = &options->tls,
                                   .key = options->key,
                                   .seconds = CLIENT_SECONDS,
                                   .came = came,
                                   .gone = gone,
                                   .context = self};
    strads_status status = check_address(url, &options->key);
    if (status == STRADS_OK) {
        status = net_door_open(&self->door, &door);
    }
    if (status == STRADS_OK) {
        snprintf(self->url, sizeof(self->url), "%s", net_door_url(self->door));
    }
    return status;
}

static bool belongs_locked(const room *self, const seat *place)
{
    const introduction *who = &place->who;
    return place->taken && who->job == self->job && who->process > self->me &&
           who->process < self->n_seats;
}

/* Brings the guests of the team to their own seats; who sits on none is left in *guest. */
static void seat_locked(room *self, uint64_t p, net_guest **guest)
{
    seat *here = &self->seats[p];
    seat *own = belongs_locked(self, here) ? &self->seats[here->who.process] : here;
    while (own != here && !(belongs_locked(self, own) && own == &self->seats[own->who.process])) {
        const seat other = *own;
        *own = *here;
        *here = other;
        own = belongs_locked(self, here) ? &self->seats[here->who.process] : here;
    }
    if (here->taken && (own != here || !belongs_locked(self, here))) {
        *guest = here->guest;
        here->guest = NULL;
        here->taken = false;
    }
}

void room_settle(room *self, uint64_t job, uint32_t n_seats, uint32_t me)
{
    net_guest *strangers[NET_TEAM_MAX] = {NULL};
    pthread_mutex_lock(&self->lock);
    self->job = job;
    self->n_seats = n_seats;
    self->me = me;
    self->full = self->is_first;
    for (uint32_t p = 1; p < NET_TEAM_MAX && !self->is_first; p++) {
        seat_locked(self, p, &strangers[p]);
    }
    pthread_mutex_unlock(&self->lock);
    for (uint32_t p = 1; p < NET_TEAM_MAX; p++) {
        if (strangers[p] != NULL) {
            net_guest_refuse(strangers[p], another_run);
        }
    }
}

void room_hurry(room *self)
{
    const double soon = strads_now() + self->timeout + NET_STUCK_SECONDS;
    if (soon < self->patience.deadline) {
        self->patience.deadline = soon;
    }
}

uint32_t room_count(room *self)
{
    pthread_mutex_lock(&self->lock);
    const uint32_t n = count_locked(self, false);
    pthread_mutex_unlock(&self->lock);
    return n;
}

static void tell_missing(room *self)
{
    strads_info("%s: waiting for %u of %u processes", self->url,
                self->n_seats - self->me - 1 - room_count(self), self->n_seats - self->me - 1);
}

/* Whether the wait goes on. */
static strads_status look(room *self, const net_team_plan *plan)
{
    const net_patience *patience = &self->patience;
    if (patience->stop != NULL && atomic_load(patience->stop)) {
        return STRADS_ERR_CLOSED;
    }
    if (strads_now() > patience->deadline) {
        return STRADS_ERR_AGAIN;
    }
    if (self->options->report != NULL && atomic_exchange(self->options->report, false)) {
        tell_missing(self);
    }
    return plan == NULL || plan->check == NULL ? STRADS_OK : plan->check(plan->context);
}

strads_status room_wait(room *self, bool answered, const net_team_plan *plan)
{
    strads_status status = STRADS_OK;
    pthread_mutex_lock(&self->lock);
    while (count_locked(self, answered) < self->n_seats - self->me - 1 && status == STRADS_OK) {
        strads_cond_wait(&self->changed, &self->lock, LOOK_SECONDS);
        pthread_mutex_unlock(&self->lock);
        status = look(self, plan);
        pthread_mutex_lock(&self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

const char *room_fault(room *self, uint32_t process)
{
    const seat *place = &self->seats[process];
    pthread_mutex_lock(&self->lock);
    const char *fault = place->stream != NULL ? NULL
                        : !place->taken       ? "has not come in time"
                        : !place->answered    ? "has not answered in time"
                                              : "has hung up";
    pthread_mutex_unlock(&self->lock);
    return fault;
}

strads_status room_welcome(room *self, uint32_t process, const void *payload, size_t bytes)
{
    seat *place = &self->seats[process];
    pthread_mutex_lock(&self->lock);
    net_guest *guest = place->guest;
    place->guest = NULL;
    pthread_mutex_unlock(&self->lock);
    const strads_status status =
        guest == NULL ? STRADS_ERR_CLOSED : net_guest_welcome(guest, payload, bytes, ready, place);
    if (status == STRADS_ERR_CLOSED) {
        strads_error("process %u (pid %u on %s) has hung up", process, place->who.self.pid,
                     place->who.self.host);
    }
    return status;
}
