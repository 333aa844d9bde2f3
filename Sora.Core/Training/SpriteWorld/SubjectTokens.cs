using Sora.Patches;

namespace Sora.Training.SpriteWorld;

/// <summary>Which patches of a drawn clip show its subject, or one of two.</summary>
internal static class SubjectTokens
{
    /// <summary>Marks, in the order of <see cref="Patchify.Cut"/>, the patches that the subject's square touches in one of their frames.</summary>
    /// <param name="clip">The clip.</param>
    /// <param name="shape">Its size and length.</param>
    /// <param name="framesPerSecond">Frames a second.</param>
    /// <param name="grid">The patches; of a part of the clip's length where only its beginning is meant.</param>
    /// <param name="stride">Frames in a frame of the latent, but for the first, which holds one.</param>
    /// <param name="patch">Frames of the latent in a patch.</param>
    /// <param name="marks">1 is written for the subject's patches: [T·H·W].</param>
    public static void Mark(ClipDescription clip, ClipShape shape, double framesPerSecond, PatchGrid grid, int stride, int patch, Span<float> marks)
    {
        float side = Math.Min(shape.Width, shape.Height), across = grid.W / (float)shape.Width, down = grid.H / (float)shape.Height;
        for (int frame = 0; frame < Math.Min(shape.Frames, 1 + (((grid.T * patch) - 1) * stride)); frame++)
        {
            int t = (frame + stride - 1) / stride / patch;
            foreach (ClipDescription subject in clip.Subjects)
            {
                MotionPath at = MotionPath.At(subject, (float)(frame / framesPerSecond));
                float half = (at.Extent * side / 2) + 0.5f; // the soft edge reaches half a pixel further
                (int left, int right) = Touched(((at.X * shape.Width) - half) * across, ((at.X * shape.Width) + half) * across, grid.W);
                (int top, int bottom) = Touched(((at.Y * shape.Height) - half) * down, ((at.Y * shape.Height) + half) * down, grid.H);
                for (int y = top; y < bottom && left < right; y++)
                    marks.Slice((((t * grid.H) + y) * grid.W) + left, right - left).Fill(1);
            }
        }
    }

    private static (int First, int End) Touched(float from, float to, int count) =>
        (Math.Clamp((int)MathF.Floor(from), 0, count), Math.Clamp((int)MathF.Ceiling(to), 0, count));
}
