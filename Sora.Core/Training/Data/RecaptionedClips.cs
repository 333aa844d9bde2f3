using System.Text.Json;
using Sora.Weights;

namespace Sora.Training.Data;

/// <summary>Clips with detailed captions that a model wrote, once for each clip; they are kept in a file.</summary>
public sealed class RecaptionedClips : IClipSource
{
    // So many captions at most are lost when the process is killed.
    private const int WrittenAtOnce = 100;

    private readonly IClipSource _clips;
    private readonly IReadOnlyDictionary<string, string> _written;

    private RecaptionedClips(IClipSource clips, IReadOnlyDictionary<string, string> written) => (_clips, _written) = (clips, written);

    /// <inheritdoc/>
    public string Description => _clips.Description;

    /// <inheritdoc/>
    public int Count => _clips.Count;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> Vocabulary
    {
        get
        {
            Dictionary<string, long> words = new(_clips.Vocabulary);
            CaptionWords.Count(words, _written.Values);
            return words;
        }
    }

    /// <summary>Lets a captioner describe every clip that it has not described before.</summary>
    /// <param name="clips">The clips.</param>
    /// <param name="captioner">Describes them.</param>
    /// <param name="path">The JSON file of captions by clip key; of another captioner's, nothing is used.</param>
    /// <param name="log">Told how far it is.</param>
    /// <param name="cancellationToken">Stops between two clips; what is written by then is kept.</param>
    /// <exception cref="SoraException">A clip or the file cannot be read, or the file not be written.</exception>
    public static RecaptionedClips Open(IClipSource clips, ICaptioner captioner, string path, Action<string> log, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clips);
        ArgumentNullException.ThrowIfNull(captioner);
        ArgumentNullException.ThrowIfNull(log);
        Dictionary<string, string> captions = Read(path, captioner.Name);
        int[] missing = [.. Enumerable.Range(0, clips.Count).Where(i => !captions.ContainsKey(clips.Info(i).Key))];
        bool written = true;
        try
        {
            for (int i = 0; i < missing.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                captions[clips.Info(missing[i]).Key] = captioner.Describe(clips, missing[i], cancellationToken).Trim();
                written = false;
                if ((i + 1) % WrittenAtOnce == 0)
                {
                    Write(path, captioner.Name, captions);
                    written = true;
                    log($"{captioner.Name} described {i + 1} of {missing.Length} clips");
                }
            }
        }
        finally
        {
            // After an interruption or an error, too: a captioner may take longer than the training.
            if (!written)
                Write(path, captioner.Name, captions);
        }
        return new(clips, captions);
    }

    /// <inheritdoc/>
    public ClipInfo Info(int clip) => _clips.Info(clip);

    /// <inheritdoc/>
    public ClipCaptions Captions(int clip)
    {
        ClipCaptions captions = _clips.Captions(clip);
        return _written.TryGetValue(_clips.Info(clip).Key, out string? written) && written.Length > 0
            ? captions with { Detailed = [.. captions.Detailed, written] }
            : captions;
    }

    /// <inheritdoc/>
    public byte[] Draw(int clip, CancellationToken cancellationToken) => _clips.Draw(clip, cancellationToken);

    /// <inheritdoc/>
    public float[]? DrawMap(int clip, ClipStrides cell) => _clips.DrawMap(clip, cell);

    private static Dictionary<string, string> Read(string path, string captioner) => !File.Exists(path) ? []
        : ConfigFile.Load(path, fields => fields.OptionalText("captioner") == captioner && fields.Find("captions") is { ValueKind: JsonValueKind.Object } captions
            ? captions.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString() ?? "")
            : []);

    private static void Write(string path, string captioner, Dictionary<string, string> captions) =>
        AtomicFile.Write(path, 0, stream => JsonSerializer.Serialize(stream, new { captioner, captions }));
}
