internal import ArgumentParser
internal import ControlPlane

/// `varve key new`
struct KeyNew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a key file and print the key's id.",
        discussion: """
            Needs no server. Keep a copy somewhere else: without it, what it encrypts is lost.

            Example:
              varve key new /etc/varve/key && varve serve --data /var/lib/varve --key-file /etc/varve/key
            """)

    @Argument(help: "The new file; mode 0600.", completion: .file()) var file: String

    func run() async throws { Output.line(try KeyFiles.make(at: Places.absolute(file))) }
}
