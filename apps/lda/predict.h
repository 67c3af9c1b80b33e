/* SPDX-License-Identifier: GPL-3.0-or-later */
/* apps/lda/predict.h - a saved model tells the topics of documents. */
#ifndef STRADS_LDA_PREDICT_H
#define STRADS_LDA_PREDICT_H

#include "data/corpus.h"

/* The topics of a document that are told: the largest, until they have so much of it, and so many
 * at most. */
#define LDA_PREDICT_SHARE 0.9
enum { LDA_PREDICT_TOPICS = 10 };

/* Writes a line a document of source->path: its number from 1, or the file's name in a folder, a
 * tab, and topics as TOPIC:SHARE parted by blanks, the largest share first. Topics are numbered
 * from 0, as in topics.txt. The vocabulary is the model's in `model_dir`, whatever source->vocab
 * says; words outside of it are left out. A document without words has the topics of the prior. */
STRADS_MUST_CHECK strads_status lda_predict_topics(const data_corpus_source *source,
                                                   const char *model_dir, FILE *to);

#endif
