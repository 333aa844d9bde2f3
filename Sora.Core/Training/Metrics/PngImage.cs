namespace Sora.Training.Metrics;

/// <summary>A picture as a PNG file.</summary>
/// <param name="Png">The file's bytes.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
internal sealed record PngImage(byte[] Png, int Width, int Height);
