package session

// DefaultBudget is how many bytes of tensors are kept in memory.
const DefaultBudget = 512 << 20

// SetBudget says how many bytes of tensors may stay in memory. Over it the steps that
// were not used for longest are left to the disk, where they are anyway; the one that
// was used last stays, however large it is.
func (s *Session) SetBudget(bytes int64) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.budget = bytes
	s.store.spill()
}

// Usage tells how many bytes of stored steps' tensors are in memory, how many the
// session takes on disk, and how many steps are on disk only. What several steps share
// counts once. Steps that could not be written yet do not count.
func (s *Session) Usage() (memory, disk int64, spilled int) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.memory, s.store.disk, len(s.store.steps) - s.store.recent.Len()
}

// hold counts a step as in memory and as used last.
func (s *store) hold(k *stored) {
	if k.at != nil {
		s.recent.MoveToFront(k.at)
		return
	}
	k.at = s.recent.PushFront(k)
	for r := range k.distinct() {
		if s.holders[r]++; s.holders[r] == 1 {
			s.memory += int64(4 * k.shape.TotalSize())
		}
	}
	s.spill()
}

// spill releases steps until the budget is kept. A step that is being read just now is
// passed over.
func (s *store) spill() {
	for e := s.recent.Back(); e != nil && e != s.recent.Front() && s.memory > s.budget; {
		k := e.Value.(*stored)
		e = e.Prev()
		if !k.step.Release() {
			continue
		}
		s.recent.Remove(k.at)
		k.at = nil
		for r := range k.distinct() {
			if s.holders[r]--; s.holders[r] == 0 {
				delete(s.holders, r)
				s.memory -= int64(4 * k.shape.TotalSize())
			}
		}
	}
}
