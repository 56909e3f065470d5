package termimg

// box is a group of points, with their mean and what they are spread along.
type box struct {
	points []point
	mean   [3]float32
	axis   int
	// spread is the weighted sum of the squared distances from the mean.
	spread float64
}

// newBox returns the box of points.
func newBox(points []point) box {
	var weight float64
	var sum, squares [3]float64
	for _, q := range points {
		w := float64(q.weight)
		weight += w
		for i, v := range q.at {
			sum[i] += w * float64(v)
			squares[i] += w * float64(v) * float64(v)
		}
	}
	b := box{points: points}
	most := -1.0
	for i := range sum {
		b.mean[i] = float32(sum[i] / weight)
		spread := squares[i] - sum[i]*sum[i]/weight
		b.spread += spread
		if spread > most {
			most, b.axis = spread, i
		}
	}
	return b
}

// cut divides points among up to n boxes, always the one of the largest spread
// in two at its mean, and returns the boxes' means. It reorders the points.
func cut(points []point, n int) [][3]float32 {
	boxes := []box{newBox(points)}
	for len(boxes) < n {
		i := 0
		for j := range boxes {
			if boxes[j].spread > boxes[i].spread {
				i = j
			}
		}
		low, high := boxes[i].halves()
		if len(low) == 0 || len(high) == 0 {
			break
		}
		boxes[i] = newBox(low)
		boxes = append(boxes, newBox(high))
	}
	means := make([][3]float32, len(boxes))
	for i, b := range boxes {
		means[i] = b.mean
	}
	return means
}

// halves moves the points up to the mean to the front, and returns those and the
// others.
func (b *box) halves() (low, high []point) {
	k := 0
	for i, q := range b.points {
		if q.at[b.axis] <= b.mean[b.axis] {
			b.points[i], b.points[k] = b.points[k], q
			k++
		}
	}
	return b.points[:k], b.points[k:]
}
