namespace Sora.Patches;

/// <summary>The patches of one clip: how many there are along time, height and width.</summary>
/// <param name="T">Patches along time.</param>
/// <param name="H">Patches along the height.</param>
/// <param name="W">Patches along the width.</param>
public readonly record struct PatchGrid(int T, int H, int W)
{
    /// <summary>The number of patches, which is the length of the clip in the packed sequence.</summary>
    public int Count => T * H * W;
}
