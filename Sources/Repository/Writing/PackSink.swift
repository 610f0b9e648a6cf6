internal import Blocks
internal import ObjectStore

/// Where frames and nodes go: fills packs, hands them to the threads that put them, keeps memory bounded.
///
/// Pack numbers start past every number ever used for this snapshot. A pointer is valid at once; the pack behind it
/// is durable once it was put.
final class PackSink: Sendable {
    private struct State {
        var data: PackBuilder?
        var nodes: PackBuilder?
        var queue: [SealedPack] = []
        var inFlight = 0
        var nextNumber: Int
        var sizes: [Int: Int] = [:]
        var storedBytes = 0
        var isClosed = false
        var failure: RepositoryFailure?
    }
    private let state: Guarded<State>
    private let snapshot: SnapshotID
    private let queueMax: Int
    private let isSealed: Bool

    /// - Parameters:
    ///   - queueMax: full packs that may wait or be on their way at once.
    ///   - isSealed: will the packs be encrypted?
    init(snapshot: SnapshotID, firstNumber: Int, queueMax: Int, isSealed: Bool) {
        self.isSealed = isSealed
        self.snapshot = snapshot
        self.queueMax = queueMax
        state = Guarded(State(nextNumber: firstNumber))
    }

    // MARK: Filling

    /// Adds the frames of one leaf, whose stored bytes lie in `bytes`, and what else is known of it: of its blocks
    /// `marked` were to be read.
    /// Waits while too many packs are on their way.
    func append(
        _ frames: [EncodedFrame], _ bytes: [UInt8], zero: [BlockRange], same: [BlockRange], marked: Int
    ) throws(RepositoryFailure) -> [FramePointer] {
        try waitForRoom()
        return try state.change { state throws(RepositoryFailure) -> [FramePointer] in
            if let failure = state.failure { throw failure }
            var pointers: [FramePointer] = []
            for frame in frames {
                open(&state, \.data)
                let pointer = bytes.readBytes(frame.place) { state.data?.append(frame, stored: $0) }
                if let pointer { pointers.append(pointer) }
                sealIfFull(&state, \.data)
            }
            open(&state, \.data)
            state.data?.settle(zero: zero, same: same)
            state.data?.markedBlocks += marked
            sealIfFull(&state, \.data)
            precondition(pointers.count == frames.count)
            return pointers
        }
    }

    /// Adds a node or a table.
    func append(node: EncodedFrame, _ bytes: [UInt8]) throws(RepositoryFailure) -> FramePointer {
        try waitForRoom()
        return try state.change { state throws(RepositoryFailure) -> FramePointer in
            if let failure = state.failure { throw failure }
            open(&state, \.nodes)
            guard let pointer = bytes.readBytes(node.place, { state.nodes?.append(node, stored: $0) }) else {
                preconditionFailure("a pack was just opened")
            }
            sealIfFull(&state, \.nodes)
            return pointer
        }
    }

    private func open(_ state: inout State, _ builder: WritableKeyPath<State, PackBuilder?>) {
        guard state[keyPath: builder] == nil else { return }
        let name = PackName(snapshot, state.nextNumber)
        state.nextNumber += 1
        state[keyPath: builder] = PackBuilder(
            name: name, capacity: builder == \.data ? Limits.packBytes + (2 << 20) : 0, isSealed: isSealed)
    }

    private func sealIfFull(_ state: inout State, _ builder: WritableKeyPath<State, PackBuilder?>) {
        if state[keyPath: builder]?.isFull == true { seal(&state, builder) }
    }

    private func seal(_ state: inout State, _ builder: WritableKeyPath<State, PackBuilder?>) {
        guard var full = state[keyPath: builder] else { return }
        state[keyPath: builder] = nil
        let pack = full.sealed()
        state.sizes[pack.footer.name.number] = pack.bytes.count
        state.storedBytes += pack.bytes.count
        state.queue.append(pack)
    }

    private func waitForRoom() throws(RepositoryFailure) {
        let isGood = state.wait { state -> Bool? in
            if state.failure != nil { return false }
            return state.queue.count + state.inFlight < queueMax ? true : nil
        }
        if !isGood, let failure = state.withLock({ $0.failure }) { throw failure }
    }

    // MARK: Putting

    /// The next pack to put; nil when there will be none. For the putting threads.
    func takePack() -> SealedPack? {
        state.wait { state -> SealedPack?? in
            if state.failure != nil { return .some(nil) }
            if !state.queue.isEmpty {
                state.inFlight += 1
                return .some(state.queue.removeFirst())
            }
            return state.isClosed ? .some(nil) : nil
        }
    }

    /// The pack taken is in the store, and recorded.
    func packDone() { state.change { $0.inFlight -= 1 } }

    /// Stops everything with the first failure there was.
    func fail(_ failure: RepositoryFailure) {
        state.change { state in
            if state.failure == nil { state.failure = failure }
        }
    }

    // MARK: Ending

    /// Seals the open data pack and waits until every pack so far is durable. Nodes may still be added.
    func flush() throws(RepositoryFailure) {
        state.change { state in seal(&state, \.data) }
        let failure = state.wait { state -> RepositoryFailure?? in
            if let failure = state.failure { return .some(failure) }
            return state.queue.isEmpty && state.inFlight == 0 ? .some(nil) : nil
        }
        if let failure { throw failure }
    }

    /// Seals what is open and returns what was not taken, once the putting threads have ended.
    func sealAll() -> [SealedPack] {
        state.change { state in
            seal(&state, \.data)
            seal(&state, \.nodes)
            defer { state.queue = [] }
            return state.queue
        }
    }

    /// No more packs will come: lets the putting threads end.
    func close() { state.change { $0.isClosed = true } }

    /// Bytes of all packs sealed so far.
    var storedBytes: Int { state.withLock { $0.storedBytes } }
    /// The sizes of the packs sealed so far, by number.
    var sizes: [Int: Int] { state.withLock { $0.sizes } }
}
