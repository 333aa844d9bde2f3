using System.Diagnostics.CodeAnalysis;

namespace Sora.Weights;

/// <summary>
/// One network's two sets of parameter names, both ways. A row holds for a module and with it for every parameter of that
/// module: <c>ffn.0</c> also stands for <c>ffn.0.weight</c> and <c>ffn.0.bias</c>. A <c>*</c> in a row is the number of a
/// block, the first number in either name.
/// </summary>
internal sealed class NameTable
{
    private readonly Dictionary<string, string> _toDiffusers = [];
    private readonly Dictionary<string, NameRow> _toOriginal = [];
    private readonly Dictionary<string, List<NameRow>> _parts = [];

    /// <param name="rows">The rows; no name of diffusers occurs twice.</param>
    public NameTable(IEnumerable<NameRow> rows)
    {
        Rows = [.. rows];
        foreach (NameRow row in Rows)
        {
            _toOriginal.Add(row.Diffusers, row);
            if (!_parts.TryGetValue(row.Original, out List<NameRow>? parts))
                _parts.Add(row.Original, parts = []);
            parts.Add(row);
            if (row.Parts == 1)
                _toDiffusers.Add(row.Original, row.Diffusers);
        }
    }

    /// <summary>The table as it was given.</summary>
    public IReadOnlyList<NameRow> Rows { get; }

    /// <summary>The name in diffusers of a parameter or module of the original; null where the network has no such name.</summary>
    public string? ToDiffusers(string original)
    {
        ArgumentNullException.ThrowIfNull(original);
        return Find(_toDiffusers, original, out string? diffusers, out string rest, out string block)
            ? Fill(diffusers, block) + rest
            : null;
    }

    /// <summary>The name in the original of a parameter or module of diffusers; null where the network has no such name.</summary>
    public string? ToOriginal(string diffusers) => Source(diffusers)?.Name;

    /// <summary>Where the values of a parameter of diffusers are: the original's name and which of its parts.</summary>
    public (string Name, int Part, int Parts)? Source(string diffusers)
    {
        ArgumentNullException.ThrowIfNull(diffusers);
        return Find(_toOriginal, diffusers, out NameRow? row, out string rest, out string block)
            ? (Fill(row.Original, block) + rest, row.Part, row.Parts)
            : null;
    }

    /// <summary>The parameters of diffusers that a parameter of the original holds, in its order; empty for another name.</summary>
    public IEnumerable<(string Name, NameRow Row)> PartsOf(string original)
    {
        ArgumentNullException.ThrowIfNull(original);
        return Find(_parts, original, out List<NameRow>? rows, out string rest, out string block)
            ? rows.Select(row => (Fill(row.Diffusers, block) + rest, row))
            : [];
    }

    private static bool Find<T>(
        Dictionary<string, T> names, string name, [NotNullWhen(true)] out T? found, out string rest, out string block)
        where T : class
    {
        rest = "";
        if (FindModule(names, name, out found, out block))
            return true;
        int dot = name.LastIndexOf('.');
        if (dot < 0)
            return false;
        rest = name[dot..];
        return FindModule(names, name[..dot], out found, out block);
    }

    private static bool FindModule<T>(Dictionary<string, T> names, string name, [NotNullWhen(true)] out T? found, out string block)
        where T : class
    {
        block = "";
        if (name.Contains('*', StringComparison.Ordinal))
        {
            found = null;
            return false;
        }
        if (names.TryGetValue(name, out found))
            return true;
        (int start, int end) = FirstNumber(name);
        block = name[start..end];
        return end > start && names.TryGetValue($"{name[..start]}*{name[end..]}", out found);
    }

    private static (int Start, int End) FirstNumber(string name)
    {
        for (int start = 0; start < name.Length;)
        {
            int dot = name.IndexOf('.', start);
            int end = dot < 0 ? name.Length : dot;
            if (end > start && name.AsSpan(start, end - start).IndexOfAnyExceptInRange('0', '9') < 0)
                return (start, end);
            start = end + 1;
        }
        return (0, 0);
    }

    private static string Fill(string pattern, string block) => pattern.Replace("*", block, StringComparison.Ordinal);
}

/// <summary>One row of a <see cref="NameTable"/>.</summary>
/// <param name="Original">The module or parameter as its authors named it.</param>
/// <param name="Diffusers">The same as diffusers or transformers name it.</param>
/// <param name="Part">Which of the equal parts along the first axis of the original it is, from 0.</param>
/// <param name="Parts">How many modules the original keeps in one.</param>
/// <param name="Axes">How many axes diffusers' tensor has, where the original has more of size 1 before them; else null.</param>
internal sealed record NameRow(string Original, string Diffusers, int Part = 0, int Parts = 1, int? Axes = null);
