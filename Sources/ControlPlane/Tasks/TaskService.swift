/// The verbs on long operations. Every error is a ``ServiceError``.
public struct TaskService: Sendable {
    let notYet = ServiceError(.unsupported, .task, "tasks are not served yet")

    /// One task. Finished ones are kept for a while.
    public func show(_ id: String) async throws -> TaskView { throw notYet }

    /// Every task, newest first, at most `limit`.
    public func list(limit: Int = 100) async throws -> [TaskView] { throw notYet }
}
