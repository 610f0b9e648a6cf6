internal import Blocks
internal import Synchronization

/// Who is in flight, and under which ``Generation``: the pointer swap that a cut is.
///
/// A request loads the current number, counts itself in under it, and loads the number again. If it has moved, the
/// request uncounts itself and starts over. If not, the generation stays alive and undrained until the request leaves:
/// a publisher that moves the number later waits for the count before it gives the old generation up. Two slots are
/// enough because publishers are serialised and each drains what it replaced before it returns.
///
/// Why nothing is missed: both loads, the count and the publisher's store are sequentially consistent. Either the
/// second load sees the store (and the request retries), or the count is visible to the publisher's drain.
@safe final class Admission: @unchecked Sendable {
    // Safe: a slot is written only while no request can hold its number (drained), and read only by counted requests.
    private let slots: UnsafeMutablePointer<Unmanaged<Generation>?>
    /// Twice the generation's number; odd while admission is closed for a group cut.
    private let current = Atomic<UInt64>(0)
    private let readersEven = Atomic<Int>(0)
    private let readersOdd = Atomic<Int>(0)
    private let writersEven = Atomic<Int>(0)
    private let writersOdd = Atomic<Int>(0)

    /// Proof of being counted in. Leave exactly once.
    struct Ticket: Equatable, Sendable {
        fileprivate let number: UInt64
        fileprivate let isWriter: Bool
    }

    init(_ first: Generation) {
        unsafe slots = .allocate(capacity: 2)
        unsafe slots.initialize(repeating: nil, count: 2)
        unsafe slots[0] = .passRetained(first)
    }
    deinit {
        for index in 0..<2 { unsafe slots[index]?.release() }
        unsafe slots.deallocate()
    }

    @inline(__always)
    func enter(writing: Bool = false) -> Ticket {
        while true {
            let now = current.load(ordering: .sequentiallyConsistent)
            if now & 1 == 0 {
                let ticket = Ticket(number: now, isWriter: writing)
                add(ticket, 1)
                if current.load(ordering: .sequentiallyConsistent) == now { return ticket }
                add(ticket, -1)
            } else {
                Machine.yieldThread()
            }
        }
    }

    /// Is the ticket's generation still the current one, and admission open?
    @inline(__always)
    func isCurrent(_ ticket: Ticket) -> Bool {
        current.load(ordering: .sequentiallyConsistent) == ticket.number
    }

    @inline(__always)
    func leave(_ ticket: Ticket) { add(ticket, -1) }

    @inline(__always)
    func generation(_ ticket: Ticket) -> Generation {
        guard let held = unsafe slots[Int(ticket.number >> 1 & 1)] else { preconditionFailure("no generation") }
        return unsafe held.takeUnretainedValue()
    }

    /// The generation published last. Only for who holds the lock that publishers hold while they swap: nothing can
    /// replace it meanwhile, and nothing gives up what is current.
    var latest: Generation {
        let number = current.load(ordering: .sequentiallyConsistent)
        return generation(Ticket(number: number & ~1, isWriter: false))
    }

    /// Closes admission: requests wait from now on. Publishers only; reopened by ``swap(to:)``.
    func close() { current.bitwiseOr(1, ordering: .sequentiallyConsistent) }
    /// Opens admission again without a change.
    func reopen() { current.bitwiseAnd(~1, ordering: .sequentiallyConsistent) }

    /// Makes `next` current. The caller must then ``drain()`` before it publishes again.
    func swap(to next: Generation) {
        let now = current.load(ordering: .sequentiallyConsistent)
        let number = (now | 1) + 1
        let slot = Int(number >> 1 & 1)
        precondition(unsafe slots[slot] == nil, "published twice without draining")
        unsafe slots[slot] = .passRetained(next)
        current.store(number, ordering: .sequentiallyConsistent)
    }

    /// Waits until no writer of the replaced generation is in flight: the old epoch's bits and bytes are complete.
    func drainWriters() { wait { self.writers($0) == 0 } }

    /// Waits until no request of the replaced generation is in flight, then gives that generation up.
    func drain() {
        wait { self.writers($0) == 0 && self.readers($0) == 0 }
        let slot = Int((current.load(ordering: .sequentiallyConsistent) ^ 2) >> 1 & 1)
        unsafe slots[slot]?.release()
        unsafe slots[slot] = nil
    }

    private func wait(until isDone: (UInt64) -> Bool) {
        let old = current.load(ordering: .sequentiallyConsistent) ^ 2
        var wait = Backoff()
        while !isDone(old) { wait.pause() }
    }

    @inline(__always)
    private func add(_ ticket: Ticket, _ change: Int) {
        switch (ticket.number & 2 == 0, ticket.isWriter) {
        case (true, true): writersEven.add(change, ordering: .sequentiallyConsistent)
        case (false, true): writersOdd.add(change, ordering: .sequentiallyConsistent)
        case (true, false): readersEven.add(change, ordering: .sequentiallyConsistent)
        case (false, false): readersOdd.add(change, ordering: .sequentiallyConsistent)
        }
    }
    private func writers(_ number: UInt64) -> Int {
        number & 2 == 0
            ? writersEven.load(ordering: .sequentiallyConsistent) : writersOdd.load(ordering: .sequentiallyConsistent)
    }
    private func readers(_ number: UInt64) -> Int {
        number & 2 == 0
            ? readersEven.load(ordering: .sequentiallyConsistent) : readersOdd.load(ordering: .sequentiallyConsistent)
    }
}

/// A wait for microseconds that does not turn into a busy loop when it takes longer, or starve whom it waits for.
struct Backoff {
    private var rounds = 0

    mutating func pause() {
        rounds += 1
        if rounds < 100 { Machine.yieldThread() } else { SystemClock().sleep(.microseconds(50)) }
    }
}
