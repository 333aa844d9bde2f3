using Sora.Training;
using Sora.Training.Data;

namespace Sora.Tests.Training.Data;

/// <summary>Clips of one grey each, that count how often they are drawn.</summary>
internal sealed class FakeClips(params (string Content, ClipShape Shape)[] clips) : IClipSource
{
    public List<int> Drawn { get; } = [];

    /// <summary>A clip that cannot be read.</summary>
    public int? Broken { get; init; }

    public string Description => "fake clips";

    public int Count => clips.Length;

    public IReadOnlyDictionary<string, long> Vocabulary => new Dictionary<string, long> { ["grey"] = 1 };

    public ClipInfo Info(int clip) => new($"{clips[clip].Content}-{clips[clip].Shape.Pixels}", clips[clip].Shape, 8, $"clip {clip}");

    public ClipCaptions Captions(int clip) => new([$"grey {clip}"], []);

    public byte[] Draw(int clip, CancellationToken cancellationToken)
    {
        if (clip == Broken)
            throw new SoraException($"clip {clip} is damaged");
        lock (Drawn)
            Drawn.Add(clip);
        var rgb = new byte[clips[clip].Shape.Pixels * 3];
        rgb.AsSpan().Fill((byte)(clips[clip].Content[0] * 2));
        return rgb;
    }
}
