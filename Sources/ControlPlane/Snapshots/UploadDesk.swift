internal import Blocks

/// The queue of uploads: at most so many at once over all volumes, a child after its parent, a failed one again later.
///
/// Runs on threads of its own in the background class. Uploads of volumes are on one desk and copies on another, so that a long
/// copy never keeps a volume's overlay growing. An upload is on the desk from the moment its snapshot is pending
/// until it is completed or given up; so a parent that is not on the desk needs no waiting for.
final class Desk<Item: Uploading>: Sendable {
    typealias Verdict = UploadVerdict
    private struct Entry {
        let upload: Item
        var isRunning = false
        var notBefore = Duration.zero
        /// Hurried while it ran: what it waits for may have come after it looked.
        var isHurried = false
    }
    private struct State {
        /// Oldest first.
        var entries: [Entry] = []
        var threads: [OSThread] = []
        var isClosed = false
        var tally = UploadTally()
    }
    private let state = Guarded(State())
    private let clock: any HouseClock
    private let limit: Int

    init(atOnce limit: Int, clock: any HouseClock) {
        precondition(limit > 0)
        self.limit = limit
        self.clock = clock
    }

    /// Starts the threads. `perform` makes one try; it blocks.
    func open(_ perform: @escaping @Sendable (Item) -> Verdict) {
        let threads = (0..<limit).map { _ in
            OSThread(name: "upload", isBackground: true) { [self] in serve(perform) }
        }
        state.withLock { $0.threads = threads }
    }

    /// Puts an upload at the end of the queue.
    func add(_ upload: Item) {
        state.change { state in
            precondition(!state.entries.contains { $0.upload.snapshot == upload.snapshot }, "it is on the desk already")
            state.entries.append(Entry(upload: upload))
        }
    }

    /// The upload of a snapshot that is on the desk.
    func upload(of snapshot: String) -> Item? {
        state.withLock { state in state.entries.first { $0.upload.snapshot == snapshot }?.upload }
    }

    /// Every upload on the desk, by its snapshot. A view of a snapshot is made from this and the snapshot's record, read
    /// in this order: the record of one that leaves the desk in between says then how it ended. Read the other way
    /// round, a snapshot just completed would look like one whose upload has not begun.
    var uploads: [String: Item] {
        state.withLock { state in
            Dictionary(uniqueKeysWithValues: state.entries.map { ($0.upload.snapshot, $0.upload) })
        }
    }

    var tally: UploadTally { state.withLock { $0.tally } }
    /// A snapshot was completed, or a try failed.
    func noteCompleted(stored: ByteCount) {
        state.withLock { state in
            state.tally.completed += 1
            state.tally.storedBytes += stored.bytes
        }
    }
    func noteFailure() { state.withLock { $0.tally.failures += 1 } }

    /// Those that a thread works on.
    var running: [Item] { state.withLock { $0.entries.filter(\.isRunning).map(\.upload) } }

    /// Takes an upload off the desk, stopping it if it runs. Blocks until no thread works on it.
    ///
    /// - Returns: the upload, or nil if it is not on the desk (any more): then it was completed or given up.
    func remove(_ snapshot: String) -> Item? {
        let found = upload(of: snapshot)
        guard let found else { return nil }
        found.cancel()
        return state.wait { state in
            guard let index = state.entries.firstIndex(where: { $0.upload === found }) else { return .some(nil) }
            if state.entries[index].isRunning { return nil }
            return .some(state.entries.remove(at: index).upload)
        }
    }

    /// Tries everything again now: the store is back, or what others wait for has ended. Also what a try that runs now
    /// puts off, once: it may have looked before.
    func hurry() {
        state.change { state in
            for index in state.entries.indices {
                state.entries[index].notBefore = .zero
                state.entries[index].isHurried = state.entries[index].isRunning
            }
        }
    }

    private func serve(_ perform: @Sendable (Item) -> Verdict) {
        while let upload = next() {
            let verdict = perform(upload)
            state.change { state in
                guard let index = state.entries.firstIndex(where: { $0.upload === upload }) else {
                    preconditionFailure("a running upload left the desk")
                }
                switch verdict {
                case .finished: state.entries.remove(at: index)
                case .again(let pause):
                    let isHurried = state.entries[index].isHurried
                    state.entries[index].isRunning = false
                    state.entries[index].notBefore = isHurried ? .zero : clock.uptime() + pause
                    state.entries[index].isHurried = false
                }
            }
        }
    }

    /// The oldest upload that may start; nil when the desk closes.
    private func next() -> Item? {
        while true {
            // Half a second bounds how late a pause may end; additions wake the thread at once.
            let found: Item?? = state.wait(atMost: .milliseconds(500)) { state -> Item?? in
                if state.isClosed { return .some(nil) }
                let now = clock.uptime()
                let waiting = Set(state.entries.map(\.upload.snapshot))
                let ready = state.entries.firstIndex { entry in
                    !entry.isRunning && !entry.upload.isCancelled && entry.notBefore <= now
                        && !(entry.upload.parent.map(waiting.contains) ?? false)
                }
                guard let ready else { return nil }
                state.entries[ready].isRunning = true
                return .some(state.entries[ready].upload)
            }
            if let found { return found }
        }
    }

    /// Stops every upload at its next step and ends the threads. Blocks. What is not completed goes on at the next start.
    func close() {
        let (uploads, threads) = state.change { state in
            state.isClosed = true
            defer { state.threads = [] }
            return (state.entries.map(\.upload), state.threads)
        }
        for upload in uploads { upload.cancel() }
        for thread in threads { thread.join() }
    }

    /// Is the desk closing? Tells a cancelled upload whether its snapshot was deleted or only has to wait.
    var isClosed: Bool { state.withLock { $0.isClosed } }
}

/// The desk of volumes' snapshots.
typealias UploadDesk = Desk<Upload>

/// What one try of an upload came to.
enum UploadVerdict: Sendable {
    /// Completed, given up or cancelled: off the desk.
    case finished
    /// To be tried again after a pause.
    case again(after: Duration)
}

/// What became of uploads since the start.
struct UploadTally: Sendable {
    var completed = 0
    var failures = 0
    var storedBytes = 0
}
