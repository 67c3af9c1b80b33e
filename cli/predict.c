/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cli/predict.c - `strads predict`: the model of a run applied to a data file. */
#include <string.h>

#include "cli/cli.h"
#include "data/data.h"

static strads_status predict_to_file(const cli_session *session, const char **operands,
                                     const char *out)
{
    data_writer *writer = NULL;
    strads_status status = data_writer_open(&writer, out);
    if (status != STRADS_OK) {
        return status;
    }
    status = session->app->predict(session->config, operands[0], operands[1],
                                   data_writer_stream(writer));
    if (status != STRADS_OK) {
        data_writer_abandon(writer);
        return status;
    }
    return data_writer_commit(writer);
}

/* The configuration that the run in `folder` was resolved to. */
static strads_status load_run(cli_session *session, const char *folder)
{
    static const char name[] = "/config.yaml";
    const size_t bytes = strlen(folder) + sizeof(name);
    char *path = strads_alloc(bytes);
    if (path == NULL) {
        return STRADS_ERR_NOMEM;
    }
    snprintf(path, bytes, "%s%s", folder, name);
    const strads_status status = cli_session_load(session, path);
    strads_free(path);
    return status;
}

static strads_status predict(cli_session *session, const char **operands, const char *out)
{
    const strads_status status = load_run(session, operands[0]);
    if (status != STRADS_OK) {
        return status;
    }
    const strads_app *app = session->app;
    if (app->predict == NULL) {
        strads_error("predict: the model program %s cannot predict", app->name);
        return STRADS_ERR_USAGE;
    }
    return out != NULL ? predict_to_file(session, operands, out)
                       : app->predict(session->config, operands[0], operands[1], stdout);
}

int cli_predict(int argc, char **argv)
{
    cli_session session;
    strads_status status = cli_session_init(&session);
    if (status != STRADS_OK) {
        return cli_exit_of(status);
    }
    const char *out = NULL;
    const cli_flag flags[] = {
        {"out", "FILE", "writes there instead of the standard output", .text = &out},
        {"top", "N", "DATA has users: the N best items for each, without those it rated",
         .config = session.config, .key = "predict.top"},
        {"nearest", "N", "DATA has items: the N most similar to each", .config = session.config,
         .key = "predict.nearest"},
        {"lambda", "X", "the value of a saved path, instead of the one that was chosen",
         .config = session.config, .key = "predict.lambda"},
        {"set", "KEY=VALUE", "overrides a key of the run's configuration, data.format say",
         .config = session.config},
    };
    const cli_usage usage = {
        .command = "predict",
        .operands = {"MODELDIR", "DATA"},
        .help = "Applies the model in MODELDIR, which strads run wrote, to the rows of the file\n"
                "DATA, and prints one prediction a line. A model of ratings takes pairs of a user\n"
                "and an item; with --top or --nearest it takes an id a line, and prints lines\n"
                "\"ID <tab> ITEM <tab> SCORE\", the best first.\n",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0])};
    const char *operands[CLI_MAX_OPERANDS];
    int code = cli_parse(&usage, argc, argv, operands);
    if (code == CLI_GO_ON) {
        code = cli_exit_of(predict(&session, operands, out));
    }
    cli_session_close(&session);
    return code;
}
