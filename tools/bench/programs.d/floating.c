// Floating point, and the vector registers.
#include "program.h"

#include <emmintrin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Planets around a sun: dependent sums, products, divisions and square roots of single doubles.
uint64_t scalar_double(void) {
    enum { count = 5 };
    struct Body {
        double x, y, z, vx, vy, vz, mass;
    } bodies[count];
    for (int i = 0; i < count; ++i)
        bodies[i] = (struct Body){i * 3.5, 1.5 * i * i, 0.25 * i,         0.4 - 0.1 * i,
                                  0.3 * i, 0.05,        1.0 / (1 + 9 * i)};
    for (int step = 0; step < 300000; ++step) {
        for (int i = 0; i < count; ++i) {
            struct Body* a = &bodies[i];
            for (int j = i + 1; j < count; ++j) {
                struct Body* b = &bodies[j];
                const double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
                const double square = dx * dx + dy * dy + dz * dz + 0.01;
                const double pull = 0.001 / (square * __builtin_sqrt(square));
                a->vx -= dx * b->mass * pull, a->vy -= dy * b->mass * pull,
                    a->vz -= dz * b->mass * pull;
                b->vx += dx * a->mass * pull, b->vy += dy * a->mass * pull,
                    b->vz += dz * a->mass * pull;
            }
        }
        for (int i = 0; i < count; ++i) {
            struct Body* a = &bodies[i];
            a->x += 0.001 * a->vx, a->y += 0.001 * a->vy, a->z += 0.001 * a->vz;
        }
    }
    return checksum(bodies, sizeof bodies);
}

// The Mandelbrot set, four points at a time.
uint64_t packed_float(void) {
    enum { size = 512, iterations = 400 };
    const __m128 four = _mm_set1_ps(4);
    uint64_t sum = 0;
    for (int row = 0; row < size; ++row) {
        const __m128 ci = _mm_set1_ps((float)row * 2.5f / size - 1.25f);
        for (int column = 0; column < size; column += 4) {
            const __m128 offsets = _mm_set_ps(3, 2, 1, 0);
            const __m128 cr = _mm_sub_ps(_mm_mul_ps(_mm_add_ps(_mm_set1_ps((float)column), offsets),
                                                    _mm_set1_ps(2.5f / size)),
                                         _mm_set1_ps(1.9f));
            __m128 r = _mm_setzero_ps(), i = r, counts = r;
            for (int n = 0; n < iterations; ++n) {
                const __m128 rr = _mm_mul_ps(r, r), ii = _mm_mul_ps(i, i);
                const __m128 inside = _mm_cmple_ps(_mm_add_ps(rr, ii), four);
                if (_mm_movemask_ps(inside) == 0) break;
                counts = _mm_add_ps(counts, _mm_and_ps(inside, _mm_set1_ps(1)));
                const __m128 ri = _mm_mul_ps(r, i);
                i = _mm_add_ps(_mm_add_ps(ri, ri), ci);
                r = _mm_add_ps(_mm_sub_ps(rr, ii), cr);
            }
            float count[4];
            _mm_storeu_ps(count, counts);
            for (int lane = 0; lane < 4; ++lane)
                sum = combine(sum, (uint64_t)count[lane]);
        }
    }
    return sum;
}

// Heat spreading over a plate, two cells at a time.
uint64_t packed_double(void) {
    enum { size = 128 };
    static double plates[2][size][size];
    for (int i = 0; i < size; ++i)
        plates[0][0][i] = plates[1][0][i] = 100.0 + i;
    const __m128d quarter = _mm_set1_pd(0.25);
    for (int step = 0; step < 1600; ++step) {
        double(*from)[size] = plates[step % 2], (*to)[size] = plates[1 - step % 2];
        for (int y = 1; y < size - 1; ++y)
            for (int x = 1; x < size - 2; x += 2) {
                const __m128d across = _mm_add_pd(_mm_loadu_pd(&from[y][x - 1]),
                                                  _mm_loadu_pd(&from[y][x + 1]));
                const __m128d along = _mm_add_pd(_mm_loadu_pd(&from[y - 1][x]),
                                                 _mm_loadu_pd(&from[y + 1][x]));
                _mm_storeu_pd(&to[y][x], _mm_mul_pd(_mm_add_pd(across, along), quarter));
            }
    }
    // A norm of each row, which needs divisions and square roots.
    uint64_t sum = 0;
    for (int round = 0; round < 400; ++round)
        for (int y = 0; y < size; ++y) {
            __m128d norm = _mm_set1_pd(round);
            for (int x = 0; x < size; x += 2) {
                const __m128d value = _mm_load_pd(&plates[0][y][x]);
                norm = _mm_add_pd(_mm_div_pd(value, _mm_add_pd(norm, _mm_set1_pd(1))),
                                  _mm_sqrt_pd(value));
            }
            sum = combine(sum, checksum(&norm, sizeof norm));
        }
    return sum;
}

// Two pictures laid over each other, as media programs do, and how far the result is from the
// first.
uint64_t packed_integer(void) {
    enum { size = 1 << 16 };
    static uint8_t a[size], b[size], blend[size];
    uint64_t state = 1, sum = 0;
    for (int i = 0; i < size; ++i) {
        a[i] = (uint8_t)next_random(&state);
        b[i] = (uint8_t)(i >> 4);
    }
    const __m128i zero = _mm_setzero_si128();
    for (int round = 0; round < 3200; ++round) {
        const __m128i weight = _mm_set1_epi16((short)(round % 128));
        __m128i distance = zero, products = zero;
        for (int i = 0; i < size; i += 16) {
            const __m128i x = _mm_load_si128((const __m128i*)(a + i)),
                          y = _mm_load_si128((const __m128i*)(b + i));
            const __m128i xl = _mm_unpacklo_epi8(x, zero), xh = _mm_unpackhi_epi8(x, zero);
            const __m128i yl = _mm_unpacklo_epi8(y, zero), yh = _mm_unpackhi_epi8(y, zero);
            const __m128i low = _mm_add_epi16(
                xl, _mm_srai_epi16(_mm_mullo_epi16(_mm_sub_epi16(yl, xl), weight), 7));
            const __m128i high = _mm_add_epi16(
                xh, _mm_srai_epi16(_mm_mullo_epi16(_mm_sub_epi16(yh, xh), weight), 7));
            const __m128i mixed = _mm_packus_epi16(low, high);
            const __m128i brighter = _mm_max_epu8(mixed, _mm_shuffle_epi32(y, 0x1B));
            const __m128i mask = _mm_cmpgt_epi8(brighter, x);
            _mm_store_si128((__m128i*)(blend + i),
                            _mm_or_si128(_mm_and_si128(mask, mixed), _mm_andnot_si128(mask, x)));
            distance = _mm_add_epi64(distance, _mm_sad_epu8(x, mixed));
            products = _mm_add_epi32(products, _mm_madd_epi16(low, high));
        }
        sum = combine(sum,
                      checksum(&distance, sizeof distance) ^ checksum(&products, sizeof products));
    }
    return combine(sum, checksum(blend, size));
}

// The 80-bit registers, of which sums, products, quotients and roots round the same everywhere.
uint64_t x87(void) {
    volatile long double seed = 0.75L;
    long double sum = 0, x = seed;
    for (int i = 1; i <= 1500000; ++i) {
        x = 3.75L * x * (1 - x);
        sum += __builtin_sqrtl(x + i) / (1 + x * x) - (long double)(i & 15);
        if (sum > 1000) sum -= (long double)(int64_t)sum;
    }
    uint8_t bytes[10];
    memcpy(bytes, &sum, sizeof bytes);
    return checksum(bytes, sizeof bytes);
}

uint64_t matrix(void) {
    enum { size = 160 };
    static double a[size][size], b[size][size], c[size][size];
    for (int i = 0; i < size; ++i)
        for (int j = 0; j < size; ++j) {
            a[i][j] = (i * 3 + j) % 17 - 8.5;
            b[i][j] = (i + j * 5) % 23 / 7.0;
        }
    for (int round = 0; round < 20; ++round)
        for (int i = 0; i < size; ++i)
            for (int j = 0; j < size; ++j) {
                double sum = c[i][j];
                for (int k = 0; k < size; ++k)
                    sum += a[i][k] * b[k][j];
                c[i][j] = sum;
            }
    return checksum(c, sizeof c);
}
