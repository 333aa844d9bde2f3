using System.Globalization;

namespace Sora.Weights;

/// <summary>A LoRA to apply: a file and how strongly. Immutable, checked when made.</summary>
/// <param name="Path">A safetensors file.</param>
/// <param name="Scale">The factor of what the file adds to the weights: −100 to 100; 1 is as trained, 0 leaves them as they are.</param>
/// <exception cref="SoraException">The path is empty or the scale out of range.</exception>
public sealed record LoraFile(string Path, float Scale = 1)
{
    private static readonly ValueRange<float> Scales = new(-100, 100);

    /// <summary>The safetensors file.</summary>
    public string Path { get; init => field = RequirePath(value); } = RequirePath(Path);

    /// <summary>The factor of what the file adds to the weights.</summary>
    /// <value>−100 to 100; by default 1, as trained.</value>
    public float Scale { get; init => field = RequireScale(value); } = RequireScale(Scale);

    /// <summary>Which transformers it changes; a model with two experts has LoRAs for either.</summary>
    /// <value>By default all.</value>
    public LoraExpert Expert { get; init; }

    /// <summary>
    /// Reads <c>FILE</c> or <c>FILE:SCALE</c>. What follows the last colon is the scale where it is a number, else part of the
    /// path: <c>a:b.safetensors</c> is a file, <c>a:2:1</c> is the file <c>a:2</c>.
    /// </summary>
    /// <exception cref="SoraException">The path is empty or the scale out of range.</exception>
    public static LoraFile Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.LastIndexOf(':');
        return colon >= 0 && float.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out float scale)
            ? new(text[..colon], scale)
            : new(text);
    }

    private static string RequirePath(string path) =>
        string.IsNullOrWhiteSpace(path) ? throw new SoraException("The path of a LoRA is empty; allowed: a safetensors file.") : path;

    private static float RequireScale(float scale) => Scales.Require("LoRA scale", scale)!.Value;
}
