internal import Blocks
internal import Catalog
internal import Repository

/// Its steps 5 to 8: one try, on a thread of the desk.
extension WriteSnapshot {
    private struct Fault: Error {
        let fault: WritingFault
    }

    func upload(_ upload: WrittenUpload) -> UploadVerdict {
        let id = upload.snapshot
        do {
            let record = try house.catalog.changeWaiting { try $0.snapshot(id) }
            guard let record, record.state == .pending, !record.isDeleted else { return .finished }
            if let parent = record.parentID, house.care.isHealing(parent) { return .again(after: .seconds(1)) }
            let file = try house.pieces.open(record)
            let survey = try upload.survey.withLock { $0 } ?? file.survey { upload.isCancelled }
            upload.survey.withLock { $0 = survey }
            try Self.check(survey, record)
            guard let manifest = try write(record, file, survey, upload) else { return .again(after: .zero) }
            Failpoint.hit("write.uploaded")
            try house.recordCompleted(id, manifest, .writeSnapshot)
            Failpoint.hit("write.completed")
            ended(id)
            return .finished
        } catch RepositoryFailure.cancelled {
            // Deleted, or the house closes: whoever cancelled it decides what becomes of it.
            return .again(after: .zero)
        } catch {
            return react(to: error, of: upload)
        }
    }

    /// Step 5.
    private static func check(_ survey: PieceFile.Survey, _ record: SnapshotRecord) throws {
        guard survey.count == record.written?.count else { throw Fault(fault: .count) }
        if let wanted = record.written?.checksum, wanted != survey.checksum.description {
            throw Fault(fault: .checksum)
        }
        guard survey.torn == nil else { throw Fault(fault: .torn) }
    }

    /// Steps 6 and 7.
    ///
    /// - Returns: nil if it was cancelled before it began.
    private func write(
        _ record: SnapshotRecord, _ file: PieceFile, _ survey: PieceFile.Survey, _ upload: WrittenUpload
    ) throws -> Manifest? {
        let content = WrittenContent(
            file, runs: survey.runs, size: record.volumeSize,
            packs: try RecordedPacks(of: record.id, in: house.catalog))
        var options = UploadOptions(memory: Household.uploadMemoryMin, isBackground: true)
        options.keepsZeros = true
        options.progress = { [house] _ in house.bulletin.announce(record.id) }
        let writer = try house.door.repository().writer(
            try SnapshotPlan(record, on: record.parentID, tags: [Self.tag: "yes"]), content: content, options: options)
        guard upload.begin(writer) else { return nil }
        let manifest = try writer.run()
        upload.note(problem: nil)
        return manifest
    }

    // MARK: Ending

    private func ended(_ id: String) {
        house.pieces.discard(id)
        house.announce(id)
        house.writings.hurry()
    }

    func fail(_ id: String, _ reason: String) throws {
        try house.recordFailed(id, reason, .writeSnapshot)
        ended(id)
    }

    /// A store may come back; nothing else mends itself.
    private func react(to error: any Error, of upload: WrittenUpload) -> UploadVerdict {
        let fault = (error as? Fault)?.fault
        let reason = fault?.rawValue ?? ServiceError.from(error, .snapshot).message
        house.writings.noteFailure()
        if fault != nil || TakeSnapshot.isPermanent(error) {
            do {
                try fail(upload.snapshot, reason)
                try? house.door.repository().abandonUpload(StoreDoor.id(upload.snapshot))
                return .finished
            } catch {}
        }
        let pause = upload.course.pause(after: reason)
        house.bulletin.announce(upload.snapshot)
        return .again(after: pause)
    }
}
