internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve task ...`
struct TaskCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Look at long operations.", subcommands: [TaskList.self, TaskShow.self])
}

/// `varve task list`
struct TaskList: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List long operations, newest first.",
        discussion: """
            Example:
              varve task list
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions

    private struct Answer: Decodable {
        let tasks: [TaskView]
    }

    func run(_ client: NativeClient) async throws {
        let bytes = try await client.callRaw("GET", "/tasks")
        if format.output == .json { return Output.json(bytes) }
        var table = Table("ID", "KIND", "SUBJECT", "STATE", ">DONE", "LAST ERROR", "CREATED")
        for task in (try NativeClient.read(bytes) as Answer).tasks {
            table.add(
                task.id, task.kind.rawValue, task.subjectId, task.state.rawValue, "\(Int(task.progress * 100)) %",
                task.lastError ?? "", LocalTime.text(task.createdAt))
        }
        table.lines.forEach(Output.line)
    }
}

/// `varve task show`
struct TaskShow: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one long operation as JSON.",
        discussion: """
            Example:
              varve task show task-0123456789abcdef0
            """)

    @OptionGroup var server: ServerOptions
    @Argument(help: "The task's id.") var id: String

    func run(_ client: NativeClient) async throws {
        Output.json(try await client.callRaw("GET", "/tasks/\(Segment.of(id))"))
    }
}
