public import Blocks

/// Why an operation on a volume as a whole failed. Reads and writes throw ``BlockFailure`` instead.
public enum VolumeFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// A name on the local disk could not be used.
    case disk(DiskFailure)
    /// A read, write or sync under it failed while doing what the text says.
    case block(BlockFailure, doing: String)
    /// A record is not what this program writes; the volume is left alone.
    case corrupt(path: String, reason: String)
    /// A record was written by a newer program.
    case newerFormat(path: String, found: Int, known: Int)
    /// The files were copied or moved by something that may have changed what is a hole.
    case copied(path: String)
    /// The operation does not fit the volume's present state.
    case wrongState(String)

    /// One plain sentence that says what was wrong.
    public var description: String {
        switch self {
        case .disk(let failure): failure.description
        case .block(let failure, let doing): "\(doing) failed: \(failure)"
        case .corrupt(let path, let reason): "\(path) is damaged: \(reason)"
        case .newerFormat(let path, let found, let known):
            "\(path) has format \(found), this program knows up to \(known): use a newer varve"
        case .copied(let path):
            "\(path) is a copy: its holes cannot be trusted while a snapshot is pending or a restore is unfinished"
        case .wrongState(let text): text
        }
    }
}

extension VolumeFailure {
    /// Runs `body`, turning its disk failures into volume failures.
    static func disk<R>(_ body: () throws(DiskFailure) -> R) throws(VolumeFailure) -> R {
        do { return try body() } catch { throw .disk(error) }
    }
    /// Runs `body`, turning its block failures into volume failures.
    static func block<R>(_ doing: String, _ body: () throws(BlockFailure) -> R) throws(VolumeFailure) -> R {
        do { return try body() } catch { throw .block(error, doing: doing) }
    }
}
