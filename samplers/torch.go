package samplers

import "math"

// torchGenerator is torch's CPU generator with its randn for float32: a value,
// copied to remember where it stood. Bitwise equal to torch 2.15 on x86-64 (below
// 16 values but for about one in 10^9, see log64), the seed's low 32 bits alone
// counting.
type torchGenerator struct {
	mt     mt19937
	cached bool    // whether the second half of a pair is waiting
	spare  float64 // that half
}

func newTorchGenerator(seed uint64) torchGenerator {
	return torchGenerator{mt: newMT19937(uint32(seed))}
}

// torchBlock is how many values the vectorised path transforms together.
const torchBlock = 16

// randn draws n values as torch.randn(n) does: fewer than 16 one by one in
// float64, else by blocks in float32, a tail redrawn as a whole block.
func (g *torchGenerator) randn(n int) []float32 {
	out := make([]float32, n)
	if n < torchBlock {
		for i := range out {
			out[i] = g.normal()
		}
		return out
	}
	g.uniforms(out)
	for i := 0; i+torchBlock <= n; i += torchBlock {
		boxMuller((*[torchBlock]float32)(out[i:]))
	}
	if n%torchBlock != 0 {
		tail := out[n-torchBlock:]
		g.uniforms(tail)
		boxMuller((*[torchBlock]float32)(tail))
	}
	return out
}

// normal is one value of the scalar path, which makes them in pairs.
func (g *torchGenerator) normal() float32 {
	if g.cached {
		g.cached = false
		return float32(g.spare)
	}
	u1, u2 := g.mt.float53(), g.mt.float53()
	radius := math.Sqrt(-2 * log64(1-u2)) // log1p(-u2) in torch: 1-u2 is exact
	sin, cos := sincos64(float64(2 * math.Pi * u1))
	g.spare, g.cached = radius*sin, true
	return float32(radius * cos)
}

func (g *torchGenerator) uniforms(out []float32) {
	for i := range out {
		out[i] = float32(g.mt.next()&(1<<24-1)) * (1.0 / (1 << 24))
	}
}

// boxMuller turns 16 uniforms into normals: the first eight give radii, the last
// eight angles.
func boxMuller(u *[torchBlock]float32) {
	const half = torchBlock / 2
	for j := range half {
		radius := sqrt32(float32(-2 * log32(1-u[j])))
		sin, cos := sincos32(float32(float32(2*math.Pi) * u[j+half]))
		u[j] = float32(radius*cos) + 0 // torch adds the mean: -0 becomes 0
		u[j+half] = float32(radius*sin) + 0
	}
}

// mt19937 is Matsumoto and Nishimura's generator as init_genrand seeds it.
type mt19937 struct {
	state [624]uint32
	at    int
}

func newMT19937(seed uint32) mt19937 {
	m := mt19937{at: len(mt19937{}.state)}
	m.state[0] = seed
	for j := 1; j < len(m.state); j++ {
		last := m.state[j-1]
		m.state[j] = 1812433253*(last^last>>30) + uint32(j)
	}
	return m
}

func (m *mt19937) next() uint32 {
	if m.at == len(m.state) {
		m.twist()
	}
	y := m.state[m.at]
	m.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (m *mt19937) twist() {
	const n, shift = len(m.state), 397
	for k := range n {
		following := m.state[(k+1)%n]
		y := m.state[k]&(1<<31) | following&(1<<31-1)
		v := m.state[(k+shift)%n] ^ y>>1
		if following&1 != 0 {
			v ^= 0x9908b0df
		}
		m.state[k] = v
	}
	m.at = 0
}

// float53 is a uniform double from two words, high word first.
func (m *mt19937) float53() float64 {
	hi, lo := uint64(m.next()), uint64(m.next())
	return float64((hi<<32|lo)&(1<<53-1)) * (1.0 / (1 << 53))
}
