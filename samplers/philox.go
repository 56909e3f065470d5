package samplers

import "math"

// philox4x32 is Philox4x32-10 of Salmon et al., "Parallel Random Numbers: As Easy
// as 1, 2, 3" (SC11): four words that depend on counter and key alone.
func philox4x32(counter [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		a := uint64(counter[0]) * 0xd2511f53
		b := uint64(counter[2]) * 0xcd9e8d57
		counter = [4]uint32{
			uint32(b>>32) ^ counter[1] ^ key[0], uint32(b),
			uint32(a>>32) ^ counter[3] ^ key[1], uint32(a),
		}
		key[0] += 0x9e3779b9
		key[1] += 0xbb67ae85
	}
	return counter
}

func philoxKey(seed uint64) [2]uint32 { return [2]uint32{uint32(seed), uint32(seed >> 32)} }

// philoxWords are the words of a thread's turn n.
func philoxWords(n uint64, thread int, key [2]uint32) [4]uint32 {
	return philox4x32([4]uint32{uint32(n), uint32(n >> 32), uint32(thread), 0}, key)
}

// cuRAND's scales from words to (0, 1) and to (0, 2 pi), as it writes them.
const (
	perWord      = float32(2.3283064e-10) // 2^-32
	anglePerWord = float32(2.3283064e-10 * 6.2831855)
)

// nvNoise is Generator.randn of AUTOMATIC1111's rng_philox.py: one thread a value.
type nvNoise struct {
	key [2]uint32
	n   int
}

func (v nvNoise) Draw(k int) []float32 {
	const perWord, anglePerWord, half = float64(perWord), float64(anglePerWord), 0.5
	out := make([]float32, v.n)
	for i := range out {
		w := philoxWords(uint64(k), i, v.key)
		radius := math.Sqrt(-2 * log64(float64(float64(w[0])*perWord)+half*perWord))
		sin, _ := sincos64(float64(float64(w[1])*anglePerWord) + half*anglePerWord)
		out[i] = float32(radius * sin)
	}
	return out
}

// gpu is what a CUDA draw depends on besides its seed.
type gpu struct {
	sms     int
	threads int // per SM
}

var h100 = gpu{sms: 132, threads: 2048}

// cudaBlock is how many threads torch's kernels start together.
const cudaBlock = 256

// cudaNoise is torch.randn on CUDA: distribution_nullary_kernel in torch's
// DistributionTemplates.h over cuRAND's normal4.
type cudaNoise struct {
	key     [2]uint32
	n       int
	threads int
}

func newCudaNoise(seed uint64, n int, card gpu) cudaNoise {
	blocks := min((n-1)/cudaBlock+1, card.sms*(card.threads/cudaBlock))
	return cudaNoise{key: philoxKey(seed), n: n, threads: blocks * cudaBlock}
}

// Draw has every thread make four values at a time, a whole grid apart: most
// tensors fit one grid and use the first of the four.
func (c cudaNoise) Draw(k int) []float32 {
	out := make([]float32, c.n)
	turns := (c.n-1)/(4*c.threads) + 1
	for turn := range turns {
		rest := out[4*c.threads*turn:]
		for thread := range min(c.threads, len(rest)) {
			w := philoxWords(uint64(k)*uint64(turns)+uint64(turn), thread, c.key)
			for pair := range 2 {
				at := thread + 2*pair*c.threads
				if at >= len(rest) {
					break
				}
				sin, cos := cudaNormals(w[2*pair], w[2*pair+1])
				rest[at] = sin
				if at += c.threads; at < len(rest) {
					rest[at] = cos
				}
			}
		}
	}
	return out
}

// cudaNormals is cuRAND's _curand_box_muller as nvcc compiles it unless told
// otherwise, with the product for the angle fused to its sum. Logarithm, sine and
// cosine are right to the last bit, where the GPU's are coarser.
func cudaNormals(x, y uint32) (float32, float32) {
	u := float32(float32(x)*perWord) + perWord/2
	angle := fma32(float32(y), anglePerWord, anglePerWord/2)
	radius := sqrt32(float32(-2 * float32(log64(float64(u)))))
	sin, cos := sincos64(float64(angle))
	// torch adds the mean: -0 becomes 0
	return float32(radius*float32(sin)) + 0, float32(radius*float32(cos)) + 0
}
