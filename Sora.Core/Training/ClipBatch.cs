namespace Sora.Training;

/// <summary>Clips of one size with their captions.</summary>
/// <param name="Rgb">The pixels [B, T, H, W, 3], 0 to 255.</param>
/// <param name="Captions">One caption for each clip.</param>
/// <param name="Shape">The clips' size.</param>
public sealed record ClipBatch(byte[] Rgb, IReadOnlyList<string> Captions, ClipShape Shape)
{
    /// <summary>The pixels as [B, 3, T, H, W] in [−1, 1], float32.</summary>
    public Tensor ToTensor(Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor bytes = tensor(Rgb, [Captions.Count, Shape.Frames, Shape.Height, Shape.Width, 3]).to(device);
        return scope.MoveToOuter((bytes.permute(0, 4, 1, 2, 3).to(float32) / 127.5).sub_(1).contiguous());
    }
}

/// <summary>The size of a clip.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Frames">Frames, 1 + s·k for a VAE of temporal stride s.</param>
public readonly record struct ClipShape(int Width, int Height, int Frames)
{
    /// <summary>Pixels in all frames together.</summary>
    public long Pixels => (long)Width * Height * Frames;

    /// <summary>As in <c>64x64, 17 frames</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Width}x{Height}, {Frames} {(Frames == 1 ? "frame" : "frames")}");
}
