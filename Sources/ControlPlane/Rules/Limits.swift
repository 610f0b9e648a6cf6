internal import Blocks

/// What names and sizes may be.
enum Limits {
    static let sizeMax = ByteCount.tebibytes(64)
    static let nameMax = 128
    static let descriptionMax = 1024
    /// Volumes of one group cut.
    static let groupMax = 128
    static let accountsMax = 10_000
    /// Access keys of one account.
    static let accessKeysMax = 1000
    /// Instances that one request makes.
    static let instancesAtOnce = 100
    /// Disks of one instance.
    static let disksMax = 28
    /// Copies, of all accounts, that are worked on at the same time.
    static let copiesAtOnce = 2
    /// Snapshots of one account that are being written, and how many of all accounts are uploaded at the same time.
    static let writingsMax = 100
    static let writingsAtOnce = 2
    /// Minutes that one may lie untouched.
    static let writingTimeouts = 10...4320
    /// Accounts that one snapshot is shared with.
    static let sharesMax = 1000
    /// Snapshots of one volume in the archive.
    static let archivedMax = 25
    /// Images of one account, and how many of them are everybody's.
    static let imagesMax = 50_000
    static let publicImagesMax = 5
    /// Schedules of one policy.
    static let schedulesMax = 20
    /// Characters of what an instance is to find when it starts: base64 of 16 KiB.
    static let userDataMax = 21_848
    /// Bytes of one part of an import.
    static let fillMax = ByteCount.mebibytes(32)

    /// Refuses a name that is empty, too long or not printable.
    static func check(name: String?, _ noun: ServiceError.Noun) throws {
        guard let name else { return }
        try check(name, called: "name", max: nameMax, noun)
        if name.isEmpty { throw ServiceError(.invalid, noun, "the name is empty: give 1 to \(nameMax) characters") }
    }

    /// Refuses a description that is too long or not printable.
    static func check(description: String?, _ noun: ServiceError.Noun) throws {
        if let description { try check(description, called: "description", max: descriptionMax, noun) }
    }

    private static func check(_ text: String, called what: String, max: Int, _ noun: ServiceError.Noun) throws {
        let count = text.unicodeScalars.count
        guard count <= max else {
            throw ServiceError(.invalid, noun, "the \(what) has \(count) characters: at most \(max) are allowed")
        }
        guard text.unicodeScalars.allSatisfy(\.isPrintable) else {
            throw ServiceError(.invalid, noun, "the \(what) \"\(text.quotable)\" has characters that cannot be printed")
        }
    }

    /// Refuses a size that no disk can have.
    static func check(size: ByteCount) throws {
        guard size > .zero else {
            throw ServiceError(.invalid, .volume, "the size is \(size.bytes) bytes: it must be more than 0")
        }
        guard size.isMultiple(of: Sector.size) else {
            throw ServiceError(
                .invalid, .volume, "the size is \(size.bytes) bytes: it must be a multiple of \(Sector.size.bytes)")
        }
        guard size <= sizeMax else {
            throw ServiceError(
                .invalid, .volume, "the size is \(size.bytes) bytes: at most 64 TiB (\(sizeMax.bytes)) are allowed")
        }
    }
}
