import Git
import Policy

/// Which files of a history have been looked at, so that each content is judged once for all commits that share it.
struct SeenHistory {
    private struct Key: Hashable {
        var blob: String
        /// Where it decides who gets the file.
        var path: String
        var layout: Int
    }

    private var keys: Set<Key> = []
    private var layouts: [[ClusterDeclaration]: Int] = [:]

    mutating func unseen(_ files: [GitTreeEntry], in layout: RepositoryLayout) -> [GitTreeEntry] {
        let number = layouts[layout.clusters, default: layouts.count]
        layouts[layout.clusters] = number
        return files.filter { file in
            let path = layout.isForManyClusters ? file.path : ""
            return keys.insert(Key(blob: file.blob, path: path, layout: number)).inserted
        }
    }
}
