internal import Blocks
internal import Catalog

/// The local copies of snapshots that are restored fast, `<data>/fast/<snapshot>`: one for all zones and accounts that want it.
///
/// One thread in the background class compares what the catalog says is wanted with what there is, and brings the one near the
/// other (``FastTurn``): it alone makes and removes files, so that these two never meet. Reads ask for a copy each time and fall
/// back to the store, so a copy may go at any moment; who reads it just then goes on with the open file.
final class FastCopies: Sendable {
    private struct State {
        var files: [String: FastFile] = [:]
        var courses: [String: FastCourse] = [:]
        var mustLook = true
        var isClosed = false
        var thread: OSThread?
    }
    private let state = Guarded(State())
    private let directory: DataDirectory
    private let clock: any HouseClock
    /// How late it sees what nobody told it of: an account that went, a full disk.
    private static let looksEvery = 10
    private static let pause = Duration.milliseconds(500)

    init(_ directory: DataDirectory, clock: any HouseClock) {
        self.directory = directory
        self.clock = clock
    }

    /// The whole copy of a snapshot, if there is one.
    subscript(_ snapshot: String) -> FastFile? { state.withLock { $0.files[snapshot] } }

    /// How it goes with a copy that is wanted and not there.
    func course(of snapshot: String) -> FastCourse? { state.withLock { $0.courses[snapshot] } }

    /// Something changed that copies depend on.
    func lookSoon() { state.change { $0.mustLook = true } }

    /// The store is back: nothing waits any longer.
    func hurry() {
        state.change { state in
            for id in state.courses.keys { state.courses[id]?.notBefore = .zero }
            state.mustLook = true
        }
    }

    /// Reads no more from a copy in which something is not as it was written; it is made anew. At once the first time; on a disk
    /// that spoils every copy, ever later.
    func distrust(_ file: FastFile, because failure: BlockFailure) {
        let now = clock.uptime()
        state.change { state in
            guard state.files[file.snapshot] === file else { return }
            state.files[file.snapshot] = nil
            let before = state.courses[file.snapshot]?.retries ?? 0
            var course = FastCourse()
            course.retries = before + 1
            course.problem = "the local copy could not be read, and is made anew: \(failure)"
            if before > 0 { course.notBefore = now + FastCourse.pause(.seconds(5), after: before) }
            state.courses[file.snapshot] = course
            state.mustLook = true
        }
    }

    // MARK: Opening and closing

    /// Opens what is whole and removes what is not. Before any volume is opened that may read from it. Blocks.
    ///
    /// What others put there is theirs: it is left alone. What cannot be removed is no copy, and no reason not to start; the
    /// disk says so again when a copy is to be made at its place.
    func load() throws {
        for id in try present() {
            if let file = try? FastFile.open(path(of: id), of: id, on: directory.disk) {
                state.withLock { $0.files[id] = file }
            } else {
                try? SegmentedFile.remove(path(of: id), on: directory.disk)
            }
        }
    }

    /// Starts the thread.
    func open(_ house: Household) {
        let thread = OSThread(name: "fast", isBackground: true) { [self] in
            let turn = FastTurn(house: house)
            var quiet = 0
            while true {
                let (isClosed, mustLook) = next(isBusy: turn.isBusy)
                if isClosed { return }
                quiet += 1
                if mustLook || quiet >= Self.looksEvery {
                    quiet = 0
                    turn.look()
                }
                turn.step()
            }
        }
        state.withLock { $0.thread = thread }
    }

    private func next(isBusy: Bool) -> (isClosed: Bool, mustLook: Bool) {
        if !isBusy { _ = state.wait(atMost: Self.pause) { $0.mustLook || $0.isClosed ? true : nil } }
        return state.withLock { state in
            defer { state.mustLook = false }
            return (state.isClosed, state.mustLook)
        }
    }

    /// Ends after the step at hand. Blocks. What is not whole is made anew at the next start.
    func close() {
        let thread = state.change { state in
            state.isClosed = true
            return state.thread
        }
        thread?.join()
        state.change { $0.files = [:] }
    }

    // MARK: For the thread

    var ids: [String] { state.withLock { Array($0.files.keys) } }

    /// What there is on the disk, whole or not, known or not.
    func present() throws -> Set<String> {
        Set(try directory.disk.list(directory.fast).map { String($0.prefix { $0 != "." }) })
            .filter { Identifier.snapshot.isForm(of: $0) }
    }

    func path(of snapshot: String) -> String { directory.fast + "/" + snapshot }

    /// From now on reads find it.
    func add(_ file: FastFile) {
        state.change { state in
            state.files[file.snapshot] = file
            // Of how it went only this is kept, for the case that the copy does not last.
            var course = FastCourse()
            course.retries = state.courses[file.snapshot]?.retries ?? 0
            state.courses[file.snapshot] = course
        }
    }

    /// Removes a copy, whole or not. One that cannot be removed is not forgotten.
    func remove(_ snapshot: String) throws {
        try SegmentedFile.remove(path(of: snapshot), on: directory.disk)
        state.change { $0.files[snapshot] = nil }
    }

    /// Notes how a copy goes.
    func note(_ snapshot: String, _ body: (inout FastCourse) -> Void) {
        state.change { body(&$0.courses[snapshot, default: FastCourse()]) }
    }

    /// Forgets how those went that nobody wants any more.
    func forget(besides wanted: Set<String>) {
        state.change { state in state.courses = state.courses.filter { wanted.contains($0.key) } }
    }
}
