/* Attention in C, for one query after the other, a tile of keys at a time: no more than a tile of scores is ever held.
 *
 * All arrays are contiguous: (batch, heads, length, width). Query head h reads key head h / group. */

#include <math.h>
#include <stddef.h>

enum { TILE = 32 };

struct sizes {
    ptrdiff_t heads; /* of the keys, of all batches together */
    ptrdiff_t group; /* query heads for each of them */
    ptrdiff_t queries, keys, width, value_width;
};

static void attend(const float *query, const float *key, const float *value, float *output, ptrdiff_t keys,
                   ptrdiff_t width, ptrdiff_t value_width, float scale)
{
    float largest = -INFINITY, total = 0.0f;

    for (ptrdiff_t d = 0; d < value_width; d++)
        output[d] = 0.0f;

    for (ptrdiff_t start = 0; start < keys; start += TILE) {
        ptrdiff_t tile = keys - start < TILE ? keys - start : TILE;
        float scores[TILE], before = largest;

        for (ptrdiff_t k = 0; k < tile; k++) {
            scores[k] = 0.0f;
            for (ptrdiff_t d = 0; d < width; d++)
                scores[k] += query[d] * key[(start + k) * width + d];
            scores[k] *= scale;
            largest = fmaxf(largest, scores[k]);
        }

        /* What was summed up so far is relative to the largest score of the tiles before. */
        float correction = expf(before - largest);
#ifndef SUM_NOT_RESCALED
        total *= correction;
#endif
        for (ptrdiff_t d = 0; d < value_width; d++)
            output[d] *= correction;

        for (ptrdiff_t k = 0; k < tile; k++) {
            float weight = expf(scores[k] - largest);
            total += weight;
            for (ptrdiff_t d = 0; d < value_width; d++)
                output[d] += weight * value[(start + k) * value_width + d];
        }
    }

    for (ptrdiff_t d = 0; d < value_width; d++)
        output[d] /= total;
}

void attention(const float *query, const float *key, const float *value, float *output, const struct sizes *sizes,
               float scale, int causal)
{
    struct sizes n = *sizes;

    for (ptrdiff_t head = 0; head < n.heads * n.group; head++) {
        const float *keys = key + head / n.group * n.keys * n.width;
        const float *values = value + head / n.group * n.keys * n.value_width;

        for (ptrdiff_t q = 0; q < n.queries; q++) {
            ptrdiff_t row = head * n.queries + q;
            ptrdiff_t seen = causal && q + 1 < n.keys ? q + 1 : n.keys;
            attend(query + row * n.width, keys, values, output + row * n.value_width, seen, n.width, n.value_width,
                   scale);
        }
    }
}
