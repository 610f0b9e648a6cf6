internal import ArgumentParser
internal import ControlPlane
internal import Terminal

/// `varve snapshot modify`
struct SnapshotModify: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "modify", abstract: "Change a snapshot's name, description, or when it is deleted by itself.",
        discussion: """
            Days count from when it was made. What is locked, used by an image or shared stays until it is not any more.

            Examples:
              varve snapshot modify snap-0123456789abcdef0 --name before-upgrade --release-after 30d
              varve snapshot modify snap-0123456789abcdef0 --never-release
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The snapshot's id.") var id: String
    @Option(help: "A name, at most 128 characters; an empty one takes it away.") var name: String?
    @Option(help: "A description, at most 1024 characters; an empty one takes it away.") var description: String?
    @OptionGroup var release: ReleaseOptions
    @Flag(help: "Keep it until somebody deletes it.") var neverRelease = false

    func validate() throws {
        if neverRelease, release.releaseAfter != nil {
            throw ValidationError("Either --release-after or --never-release.")
        }
        if name == nil, description == nil, release.releaseAfter == nil, !neverRelease {
            throw ValidationError("Say what is to change.")
        }
    }

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = [:]
        if let name { fields["name"] = .text(name) }
        if let description { fields["description"] = .text(description) }
        if neverRelease { fields["neverRelease"] = .flag(true) }
        release.add(to: &fields)
        let bytes = try await client.callRaw("PATCH", "/snapshots/\(Segment.of(id))", fields)
        if format.output == .json { return Output.json(bytes) }
        let snapshot: SnapshotView = try NativeClient.read(bytes)
        Output.line(snapshot.releaseAt.map { "released \(LocalTime.text($0))" } ?? "kept until it is deleted")
    }
}

/// When a snapshot is to be deleted by itself.
struct ReleaseOptions: ParsableArguments {
    @Option(help: "Delete it by itself so many days after it was made, like 30d; at most 65536d.")
    var releaseAfter: String?

    private var days: Int? {
        releaseAfter.flatMap { Int($0.hasSuffix("d") ? String($0.dropLast()) : $0) }
    }

    func validate() throws {
        guard let releaseAfter, !(days.map { (1...65_536).contains($0) } ?? false) else { return }
        throw ValidationError("'\(releaseAfter)' is no number of days like 30d, from 1d to 65536d.")
    }

    func add(to fields: inout [String: NativeClient.Field]) {
        if let days { fields["releaseAfterDays"] = .number(days) }
    }
}
