internal import ArgumentParser

/// `varve key ...`
struct KeyCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Make, list and rotate the keys of encrypted snapshots.",
        subcommands: [KeyNew.self, KeyList.self, KeyRotate.self])
}
