internal import ArgumentParser
internal import ControlPlane

/// `varve key rotate`
struct KeyRotate: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Let another key open what is encrypted, and the old one no more.",
        discussion: """
            The server must have both: start it with the new --key-file or --passphrase-file beside the old one. No snapshot
            is read or written anew, and nothing needs to stop. Write new-passphrase for a passphrase that the store does not
            know yet. Afterwards the server needs the new key alone.

            Example:
              varve key rotate --to arn:aws:kms:local:000000000000:key/01234567-89ab-cdef-0123-456789abcdef
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var format: OutputOptions
    @Option(help: "The new key's id, or new-passphrase.") var to: String
    @Option(help: "Only what this key opens; by default all that can be opened.") var from: String?

    func run(_ client: NativeClient) async throws {
        var fields: [String: NativeClient.Field] = ["to": .text(to)]
        if let from { fields["from"] = .text(from) }
        let bytes = try await client.callRaw("POST", "/keys/rotate", fields)
        if format.output == .json { return Output.json(bytes) }
        let rotation: RotationView = try NativeClient.read(bytes)
        guard rotation.isDone else {
            throw CommandFailure.refused(
                "the rotation \(rotation.taskId) is not done yet and goes on by itself: \(rotation.reason ?? "no reason")"
            )
        }
        Output.note("\(rotation.keyId) opens the data keys of \(rotation.dataKeyCount) lineages")
    }
}
