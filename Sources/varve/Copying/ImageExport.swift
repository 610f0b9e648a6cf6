internal import ArgumentParser
internal import Blocks

/// The file that a disk is written to; it appears under its name only when it is whole.
struct ImageExport: ParsableArguments {
    @Argument(help: "The image to make.", completion: .file()) var file: String
    @Option(help: "raw or qcow2.") var format = "raw"
    @Flag(help: "Replace a file that is there.") var force = false

    func validate() throws {
        if ImageFile.Format(rawValue: format) == nil {
            throw ValidationError("The format '\(format)' is not raw or qcow2.")
        }
    }

    /// Refuses a file that must not be replaced. Ask before anything is attached for the export.
    func check() throws {
        let facts: FileFacts? = try Self.refusing { try LocalDisk().facts(file) }
        guard facts?.isDirectory != true else { throw CommandFailure.refused("\(file) is a directory") }
        guard facts == nil || force else {
            throw CommandFailure.refused("\(file) is there already; give another name, or --force to replace it")
        }
    }

    /// Copies the disk at `uri`.
    func write(_ uri: String, size: Int) async throws {
        let beside = file + ".part"
        let kind = ImageFile.Format(rawValue: format) ?? .raw
        let painter = ProgressPainter("Exporting", total: size)
        defer { painter.finish() }
        let interruption = await Interruption()
        do {
            try await interruption.cancels { try await QemuImage.copy(from: uri, to: beside, as: kind, painter) }
            try Self.refusing { try LocalDisk().rename(beside, to: file) }
        } catch {
            try? LocalDisk().remove(beside)
            throw error
        }
    }

    private static func refusing<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let failure as DiskFailure {
            throw CommandFailure.refused("\(failure)")
        }
    }
}
