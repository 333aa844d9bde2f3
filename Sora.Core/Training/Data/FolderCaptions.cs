using System.Text.Json;
using System.Text.Unicode;
using Sora.Weights;

namespace Sora.Training.Data;

/// <summary>
/// The captions of a folder's files: in <c>metadata.jsonl</c>, one JSON object a line with <c>file_name</c>, <c>text</c> and
/// perhaps <c>detailed_text</c>, each text one string or a list (the convention of Hugging Face's ImageFolder and
/// VideoFolder); or in a <c>.txt</c> of the file's name, one caption a line. A file that has both has all of them.
/// </summary>
internal sealed class FolderCaptions
{
    /// <summary>The name of the file of all captions.</summary>
    public const string MetadataName = "metadata.jsonl";

    private readonly Dictionary<string, (List<string> Short, List<string> Detailed)> _ofMetadata = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly int _longest;
    private readonly List<FileProblem> _problems;

    /// <summary>Reads the folder's metadata, if it has any.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="longest">The longest caption in characters.</param>
    /// <param name="problems">Receives notes about captions.</param>
    /// <exception cref="SoraException">A line of the metadata is not as it should be.</exception>
    public FolderCaptions(string folder, int longest, List<FileProblem> problems)
    {
        (_folder, _longest, _problems) = (folder, longest, problems);
        string path = Path.Combine(folder, MetadataName);
        if (!File.Exists(path))
            return;
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
                ConfigFile.Parse(line, $"{path}, line {number}", AddLine);
        }
    }

    /// <summary>The files that the metadata name.</summary>
    public IEnumerable<string> Named => _ofMetadata.Keys;

    /// <summary>The captions of a file; null where it has none.</summary>
    /// <param name="file">The path relative to the folder, with slashes.</param>
    public ClipCaptions? Find(string file)
    {
        List<string> texts = [], detailed = [];
        if (_ofMetadata.TryGetValue(file, out (List<string> Short, List<string> Detailed) entry))
            (texts, detailed) = ([.. entry.Short], [.. entry.Detailed]);
        string beside = Path.ChangeExtension(Path.Combine(_folder, file), ".txt");
        if (File.Exists(beside))
            texts.AddRange(ReadLines(beside));
        texts = Tidy(texts, file);
        detailed = Tidy(detailed, file);
        return texts.Count > 0 ? new(texts, detailed) : detailed.Count > 0 ? new(detailed, detailed) : null;
    }

    private bool AddLine(ConfigFields fields)
    {
        string file = fields.Text("file_name").Replace('\\', '/');
        if (!_ofMetadata.TryGetValue(file, out (List<string> Short, List<string> Detailed) texts))
            _ofMetadata.Add(file, texts = ([], []));
        texts.Short.AddRange(Texts(fields, "text"));
        texts.Detailed.AddRange(Texts(fields, "detailed_text"));
        return true;
    }

    private static ValueList<string> Texts(ConfigFields fields, string name) => fields.Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } => fields.Texts(name, []),
        _ => [fields.Text(name)],
    };

    private static string[] ReadLines(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return Utf8.IsValid(bytes)
            ? System.Text.Encoding.UTF8.GetString(bytes).TrimStart('\uFEFF').Split('\n')
            : throw new SoraException("its caption is not valid UTF-8");
    }

    // Without empty ones and repetitions, and cut between two words.
    private List<string> Tidy(List<string> texts, string file)
    {
        List<string> tidy = [];
        foreach (string text in texts.Select(text => text.Trim()).Where(text => text.Length > 0).Distinct())
        {
            if (text.Length <= _longest)
            {
                tidy.Add(text);
                continue;
            }
            int space = text.LastIndexOf(' ', _longest);
            string cut = text[..(space > _longest / 2 ? space : _longest)];
            if (char.IsHighSurrogate(cut[^1]))
                cut = cut[..^1];
            tidy.Add(cut);
            _problems.Add(new(file, $"its caption of {text.Length} characters is cut to {cut.Length}", PassedOver: false));
        }
        return tidy;
    }
}
