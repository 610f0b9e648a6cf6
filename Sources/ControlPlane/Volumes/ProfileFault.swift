internal import Blocks

/// What of a volume's size and speed its kind does not allow: closed, so that each dialect has its words for each.
public enum ProfileFault: Error, Equatable, Sendable {
    /// The kind has no operations a second of its own, and none were asked for.
    case operationsMissing
    /// They follow from the kind, and were asked for.
    case operationsFixed, throughputFixed
    /// Sizes in GiB.
    case tooSmall(least: Int), tooLarge(most: Int)
    /// Operations a second.
    case tooFewOperations(least: Int), tooManyOperations(most: Int)
    /// More operations than so many for each GiB.
    case tooManyOperationsForSize(perGibibyte: Int)
    /// MiB a second.
    case throughputTooLow(least: Int), throughputTooHigh(most: Int)
    /// More MiB a second than one for so many operations.
    case throughputTooHighForOperations(operationsPerMebibyte: Int)
}

extension VolumeKind {
    /// Operations that a MiB a second takes, where both are asked for.
    private static let operationsPerMebibyte = 4

    /// What was asked for that cannot be, or was not and must be, whatever the size.
    public func combinationFault(iops: Int?, throughput: Int?) -> ProfileFault? {
        if needsIOPS, iops == nil { return .operationsMissing }
        if self.iops == nil, iops != nil { return .operationsFixed }
        if self.throughput == nil, throughput != nil { return .throughputFixed }
        return nil
    }

    /// What is out of range; without a size, as far as that can be said.
    public func rangeFault(gibibytes: Int?, iops: Int?, throughput: Int?) -> ProfileFault? {
        if let gibibytes, gibibytes < self.gibibytes.lowerBound { return .tooSmall(least: self.gibibytes.lowerBound) }
        if let gibibytes, gibibytes > self.gibibytes.upperBound { return .tooLarge(most: self.gibibytes.upperBound) }
        return operationsFault(gibibytes, iops) ?? throughputFault(iops, throughput)
    }

    private func operationsFault(_ gibibytes: Int?, _ iops: Int?) -> ProfileFault? {
        guard let iops, let allowed = self.iops else { return nil }
        if iops < allowed.lowerBound { return .tooFewOperations(least: allowed.lowerBound) }
        if iops > allowed.upperBound { return .tooManyOperations(most: allowed.upperBound) }
        // What it has anyway is no matter of its size.
        guard let iopsPerGibibyte, let gibibytes, iops > baseIOPS ?? 0, iops > iopsPerGibibyte * gibibytes else {
            return nil
        }
        return .tooManyOperationsForSize(perGibibyte: iopsPerGibibyte)
    }

    private func throughputFault(_ iops: Int?, _ throughput: Int?) -> ProfileFault? {
        guard let throughput, let allowed = self.throughput else { return nil }
        if throughput < allowed.lowerBound { return .throughputTooLow(least: allowed.lowerBound) }
        if throughput > allowed.upperBound { return .throughputTooHigh(most: allowed.upperBound) }
        let operations = max(iops ?? 0, baseIOPS ?? 0)
        guard throughput * Self.operationsPerMebibyte > operations else { return nil }
        return .throughputTooHighForOperations(operationsPerMebibyte: Self.operationsPerMebibyte)
    }
}

extension VolumeProfile {
    /// Does its kind let a volume of this size be so fast? A size the volume has already is no matter.
    func check(size: ByteCount, isNewSize: Bool = true) throws {
        guard let kind = VolumeKind.named(kind) else {
            throw ServiceError(.invalid, .volume, "there is no kind of volume named \(self.kind.quotable)")
        }
        let gibibytes = (size.bytes + (1 << 30) - 1) >> 30
        let isSized = isNewSize || kind.gibibytes.contains(gibibytes)
        let fault =
            kind.combinationFault(iops: iops, throughput: throughput)
            ?? kind.rangeFault(gibibytes: isSized ? gibibytes : nil, iops: iops, throughput: throughput)
        if let fault { throw ServiceError(.invalid, .volume, fault.message(of: kind)) }
    }
}

extension ProfileFault {
    /// For those who have no words of their own for it.
    func message(of kind: VolumeKind) -> String {
        let name = kind.name
        return switch self {
        case .operationsMissing: "a volume of kind \(name) needs a number of operations a second"
        case .operationsFixed: "the operations a second of a volume of kind \(name) follow from its size"
        case .throughputFixed: "the throughput of a volume of kind \(name) follows from its size"
        case .tooSmall(let least): "a volume of kind \(name) has at least \(least) GiB"
        case .tooLarge(let most): "a volume of kind \(name) has at most \(most) GiB"
        case .tooFewOperations(let least): "a volume of kind \(name) has at least \(least) operations a second"
        case .tooManyOperations(let most): "a volume of kind \(name) has at most \(most) operations a second"
        case .tooManyOperationsForSize(let ratio):
            "a volume of kind \(name) has at most \(ratio) operations a second for each GiB"
        case .throughputTooLow(let least): "a volume of kind \(name) has at least \(least) MiB a second"
        case .throughputTooHigh(let most): "a volume of kind \(name) has at most \(most) MiB a second"
        case .throughputTooHighForOperations(let operations):
            "each MiB a second takes \(operations) operations a second"
        }
    }
}
