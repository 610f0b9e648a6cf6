internal import Blocks
internal import Catalog

/// The verbs on long operations. Every error is a ``ServiceError``.
public struct TaskService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// One task. Finished ones are kept for a week.
    public func show(_ id: String) async throws -> TaskView {
        try await ServiceError.about(.task) {
            try Identifier.task.check(id, .task)
            let courses = house.courses
            let record = try await house.catalog.change { try $0.task(id) }
            guard let record, record.account == caller.account || record.account == nil && caller.mayRunHouse else {
                throw ServiceError(.missing, .task, "there is no task \(id)")
            }
            return try TaskView(courses, record).scrubbing(house).fetching(house)
        }
    }

    /// The latest tasks, newest first, at most `limit` (1 to 1000).
    public func list(limit: Int = 100) async throws -> [TaskView] {
        try await ServiceError.about(.task) {
            guard (1...1000).contains(limit) else {
                throw ServiceError(.invalid, .task, "the limit is \(limit): 1 to 1000 are allowed")
            }
            let courses = house.courses
            return try await house.catalog.change { [caller] session in
                try session.tasks(of: caller.account, house: caller.mayRunHouse, limit: limit)
            }.map {
                try TaskView(courses, $0).scrubbing(house).fetching(house)
            }
        }
    }
}

extension TaskView {
    /// With what the scrub says, if that is what it is.
    fileprivate func scrubbing(_ house: Household) -> TaskView {
        guard kind == .scrubStore, state == .running || state == .waiting,
            case let scrub = house.scrub.view(uptime: house.clock.uptime()), scrub.taskId == id
        else { return self }
        var view = self
        view.progress = scrub.progress
        view.remainingSeconds = scrub.remainingSeconds
        view.lastError = scrub.reason
        if scrub.reason != nil { view.state = .waiting }
        return view
    }

    /// With how a local copy goes, if that is what it is about.
    fileprivate func fetching(_ house: Household) -> TaskView {
        guard kind == .fetchSnapshot, state == .running || state == .waiting else { return self }
        var view = self
        guard let course = house.fast.course(of: subjectId) else { return view }
        view.progress = course.fraction
        view.remainingSeconds = course.remaining(at: house.clock.uptime()).map { Int($0.components.seconds) }
        view.retries = course.retries
        view.lastError = course.problem
        view.state = course.problem == nil ? .running : .waiting
        return view
    }

    /// What the desks and, read after them, the catalog say of a task, put together (``Household/courses``).
    init(_ courses: [String: UploadCourse], _ record: TaskRecord) throws {
        guard let kind = Kind(rawValue: record.kind) else {
            throw ServiceError(.corrupt, .task, "the task \(record.id) is of the unknown kind \(record.kind.quotable)")
        }
        let state: State =
            switch record.state {
            case .running: .running
            case .waiting: .waiting
            case .succeeded: .succeeded
            case .failed: .failed
            case .cancelled: .cancelled
            }
        self.init(
            id: record.id, kind: kind, subjectId: record.subjectID, state: state, createdAt: record.createdAt,
            updatedAt: record.updatedAt)
        retries = record.retries
        lastError = record.lastError
        progress = state == .succeeded ? 1 : 0
        guard !record.state.isFinal, [.takeSnapshot, .copySnapshot, .writeSnapshot].contains(kind),
            let upload = courses[record.subjectID]
        else { return }
        progress = upload.fraction
        remainingSeconds = upload.remaining.map { Int($0.components.seconds) }
        retries = upload.retries
        lastError = upload.problem
        if upload.problem != nil { self.state = .waiting }
    }
}
