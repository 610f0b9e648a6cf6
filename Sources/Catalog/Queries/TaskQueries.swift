public import Blocks

extension CatalogSession {
    /// Records a task before it starts.
    public func insert(_ task: TaskRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO tasks (id, kind, subject_id, account_id, argument, state, retries, last_error, created_at, updated_at)
            VALUES (\(task.id), \(task.kind), \(task.subjectID), \(task.account), \(task.argument), \(task.state), \(task.retries),
                \(task.lastError), \(task.createdAt), \(task.updatedAt))
            """)
    }

    /// Writes what can change of a task that exists.
    ///
    /// - Returns: false if there is none.
    @discardableResult
    public func update(_ task: TaskRecord) throws(CatalogFailure) -> Bool {
        try connection.execute(
            """
            UPDATE tasks SET argument = \(task.argument), state = \(task.state), retries = \(task.retries),
                last_error = \(task.lastError), updated_at = \(task.updatedAt)
            WHERE id = \(task.id)
            """) == 1
    }

    /// The task, or nil.
    public func task(_ id: String) throws(CatalogFailure) -> TaskRecord? {
        guard let row = try connection.query("SELECT * FROM tasks WHERE id = \(id)").first else { return nil }
        return try TaskRecord(row)
    }

    /// The latest tasks of one account, newest first; with `house`, those of the house too.
    public func tasks(of account: String, house: Bool, limit: Int) throws(CatalogFailure) -> [TaskRecord] {
        try connection.query(
            """
            SELECT * FROM tasks WHERE account_id = \(account) OR (account_id IS NULL AND \(house) = 1)
            ORDER BY created_at DESC, id DESC LIMIT \(limit)
            """
        ).records(TaskRecord.init)
    }

    /// Those that have something left to do, oldest first.
    public func unfinishedTasks() throws(CatalogFailure) -> [TaskRecord] {
        try connection.query(
            "SELECT * FROM tasks WHERE state IN ('running', 'waiting') ORDER BY created_at, id"
        ).records(TaskRecord.init)
    }

    /// Ends every unfinished task of one kind about one object.
    public func endTasks(
        ofSubject subject: String, kind: String, as state: TaskRecord.State, _ reason: String?, at time: WallTime
    ) throws(CatalogFailure) {
        precondition(state.isFinal)
        for var task in try unfinishedTasks(ofSubject: subject) where task.kind == kind {
            task.state = state
            task.lastError = reason ?? task.lastError
            task.updatedAt = time
            try update(task)
        }
    }

    /// Those about one object that have something left to do, oldest first.
    public func unfinishedTasks(ofSubject subject: String) throws(CatalogFailure) -> [TaskRecord] {
        try connection.query(
            """
            SELECT * FROM tasks WHERE subject_id = \(subject) AND state IN ('running', 'waiting')
            ORDER BY created_at, id
            """
        ).records(TaskRecord.init)
    }

    /// Forgets finished tasks older than a time.
    public func deleteTasks(finishedBefore time: WallTime) throws(CatalogFailure) {
        try connection.execute(
            """
            DELETE FROM tasks
            WHERE state IN ('succeeded', 'failed', 'cancelled') AND updated_at < \(time)
            """)
    }
}
