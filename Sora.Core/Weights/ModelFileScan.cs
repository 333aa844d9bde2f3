using System.Text.RegularExpressions;

namespace Sora.Weights;

/// <summary>
/// The networks in the files of a folder, each recognised by its tensors. Names of files play no part but for their endings
/// and for shards.
/// </summary>
internal sealed partial class ModelFileScan
{
    /// <summary>
    /// Where files of a model are, below the folder that was named: as diffusers, the original release and ComfyUI call the
    /// places. A whole tree is not searched, since it may hold other models.
    /// </summary>
    private static readonly string[] Places =
    [
        "", "transformer", "transformer_2", "high_noise_model", "low_noise_model", "diffusion_models", "unet",
        "text_encoder", "text_encoders", "clip", "vae", "image_encoder", "clip_vision",
    ];

    /// <summary>Folders beside which, and not in which, the other parts are.</summary>
    private static readonly string[] Homes = ["diffusion_models", "unet", "checkpoints", "high_noise_model", "low_noise_model"];

    private readonly List<NetworkFiles> _networks = [];
    private readonly List<string> _others = [];
    private readonly List<string> _unreadable = [];
    private readonly HashSet<string> _seen = [];

    private ModelFileScan(string path) => Path = path;

    /// <summary>The path that was named.</summary>
    public string Path { get; }

    /// <summary>What was recognised.</summary>
    public IReadOnlyList<NetworkFiles> Networks => _networks;

    /// <summary>Files with weights that are no network of Sora's.</summary>
    public IReadOnlyList<string> Others => _others;

    /// <summary>Why files could not be read.</summary>
    public IReadOnlyList<string> Unreadable => _unreadable;

    /// <summary>
    /// Looks through a folder, or from a file on: then the file is the transformer, and the rest is looked for beside it and, where
    /// its folder is one of ComfyUI's, in the folders beside that.
    /// </summary>
    /// <exception cref="SoraException">There is nothing at the path.</exception>
    public static ModelFileScan Of(string path)
    {
        var scan = new ModelFileScan(path);
        if (File.Exists(path))
        {
            scan.Recognize(path);
            foreach (string partner in Partners(path))
                scan.Recognize(partner);
            string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
            bool atHome = Homes.Contains(System.IO.Path.GetFileName(folder));
            scan.Search(atHome ? System.IO.Path.GetDirectoryName(folder)! : folder, file => file.Kind != NetworkKind.Transformer);
            return scan;
        }
        if (!Directory.Exists(path))
            throw new SoraException($"{path}: there is no such folder or file; a model is a folder that holds model_index.json, or one with its weights.");
        scan.Search(path, _ => true);
        return scan;
    }

    /// <summary>The networks of a kind.</summary>
    public IReadOnlyList<NetworkFiles> Of(NetworkKind kind) => [.. _networks.Where(network => network.Kind == kind)];

    private void Search(string root, Func<NetworkFiles, bool> wanted)
    {
        // Repositories that repack files for ComfyUI keep them one level further down.
        foreach (string place in (string[])[.. Places, .. Places.Skip(1).Select(place => System.IO.Path.Combine("split_files", place))])
        {
            string folder = place.Length == 0 ? root : System.IO.Path.Combine(root, place);
            if (!Directory.Exists(folder))
                continue;
            IReadOnlyList<string> files = FolderContents.Files(folder);
            foreach (string index in files.Where(file => file.EndsWith(".safetensors.index.json", StringComparison.Ordinal)))
                Recognize(index, wanted);
            foreach (string file in files.Where(file => WeightSource.Extensions.Contains(System.IO.Path.GetExtension(file)) && !IsShard(file)))
                Recognize(file, wanted);
        }
    }

    private void Recognize(string path, Func<NetworkFiles, bool>? wanted = null)
    {
        if (!_seen.Add(System.IO.Path.GetFullPath(path)))
            return;
        try
        {
            if (NetworkFiles.Recognize(path) is not { } network)
                _others.Add(path);
            else if (wanted is null || wanted(network))
                _networks.Add(network);
        }
        catch (SoraException e)
        {
            // Told where the model turns out to be incomplete: a folder may hold other files.
            _unreadable.Add(e.Message);
        }
    }

    /// <summary>The file of the other expert, by the words that the published files have in their names.</summary>
    private static IEnumerable<string> Partners(string path)
    {
        string full = System.IO.Path.GetFullPath(path), folder = System.IO.Path.GetDirectoryName(full)!;
        string above = System.IO.Path.GetDirectoryName(folder) ?? "", name = System.IO.Path.GetRelativePath(above.Length > 0 ? above : folder, full);
        foreach ((string one, string other) in ((string, string)[])[("high", "low"), ("High", "Low"), ("HIGH", "LOW")])
        {
            foreach ((string from, string to) in ((string, string)[])[(one, other), (other, one)])
            {
                string partner = System.IO.Path.Combine(above.Length > 0 ? above : folder, name.Replace(from, to, StringComparison.Ordinal));
                if (partner != full && File.Exists(partner))
                    yield return partner;
            }
        }
    }

    private static bool IsShard(string file) => Shard().IsMatch(System.IO.Path.GetFileNameWithoutExtension(file));

    [GeneratedRegex("-[0-9]{5}-of-[0-9]{5}$", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
