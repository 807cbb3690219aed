//! Every code that reading a catalog can report.

/// Code, and what it means and what to do about it. `docs/errors.md` is made from this list.
pub const CODES: &[(&str, &str)] = &[
    ("CAT-1001", "There is no importer of that name. Use one of the listed formats."),
    (
        "CAT-1002",
        "No catalog came of the files. Give at least a regions table and a specs table with usable rows.",
    ),
    (
        "CAT-1003",
        "The header of the file is that of no catalog table. Compare it with docs/formats/catalog.md.",
    ),
    (
        "CAT-1004",
        "The file is a web page or XML. Download the file itself; a login page may have been saved instead.",
    ),
    (
        "CAT-1005",
        "The file is JSON. Give CSV tables; a snapshot is passed as the catalog itself, without importing it.",
    ),
    ("CAT-1006", "The file is not UTF-8 text. Save it with the encoding UTF-8."),
    ("CAT-1007", "The gzip file is cut short or damaged. Download or copy it again."),
    (
        "CAT-1008",
        "The files of one import unpack to more than the limit together. Import fewer at once, or split them by provider.",
    ),
    ("CAT-1009", "The table lacks required columns. Add them."),
    ("CAT-1010", "Columns that the table does not have were ignored. Nothing needs to be done."),
    (
        "CAT-1011",
        "The table holds figures computed from other tables. It was not loaded; nothing needs to be done.",
    ),
    (
        "CAT-1012",
        "The row has more or fewer cells than the header. Put cells with commas in quotation marks.",
    ),
    ("CAT-1013", "The file is empty. Give a CSV table with a header row."),
    ("CAT-1014", "The file cannot be read to its end. Check the disk and try again."),
    (
        "CAT-1101",
        "The price cannot be read. Write a plain decimal with a point, without currency sign or unit.",
    ),
    (
        "CAT-1102",
        "The price is zero, so the machine or disk stays unpriced. Leave the cell empty when there is none.",
    ),
    ("CAT-1103", "The price is negative and is not used. Correct it or leave the cell empty."),
    ("CAT-1104", "The price is a placeholder for something not yet sold. Leave the row out."),
    (
        "CAT-1105",
        "Prices had more than nine decimals and were rounded to the nearest billionth, halves to even.",
    ),
    ("CAT-1106", "The region or instance type is listed twice; the first row counts. Remove one of the two."),
    (
        "CAT-1107",
        "The spot or commitment price is not below on-demand and is not used. Check its unit and its type.",
    ),
    ("CAT-1109", "The price has no source or no date and is not used. Fill in both columns."),
    ("CAT-1110", "The list marks these machines as not sold in their region, so they were left out."),
    ("CAT-1111", "These rows have no on-demand price, so their machines stay unpriced."),
    ("CAT-1112", "The same thing is priced twice; the newest row counts, of equally new ones the dearest."),
    (
        "CAT-1113",
        "A machine costs the same as one of half its size. One price was copied or rounded; check it.",
    ),
    (
        "CAT-1114",
        "A machine costs less than a quarter of what it costs in most regions, so the price is not used. Check the list.",
    ),
    (
        "CAT-1121",
        "These Windows prices are of machines without a usable price of their own and were left out.",
    ),
    ("CAT-1122", "The prices table gives the Windows price as the Linux price; the machine stays unpriced."),
    (
        "CAT-1123",
        "The Windows price is below the Linux price and is not used. Check that both are of the same date.",
    ),
    (
        "CAT-1201",
        "The price is for an unknown region or provider and is left out. Add the region or correct its name.",
    ),
    (
        "CAT-1202",
        "The price is for an unknown instance type and is left out. Add the type or correct its name.",
    ),
    ("CAT-1203", "Prices beside machines are for regions that the catalog does not have and were left out."),
    ("CAT-1204", "A region or instance type has no provider or no name and is left out. Fill in both cells."),
    ("CAT-1205", "The country of the region is unknown. Write its ISO 3166 code of two capital letters."),
    (
        "CAT-1206",
        "The latitude or longitude cannot be read. Write degrees with a point, or leave both empty.",
    ),
    ("CAT-1207", "The instance type has no usable count of vCPUs or size of memory and is left out."),
    ("CAT-1208", "The instruction set is unknown, so the instance type fits no host. Write x86_64 or arm64."),
    (
        "CAT-1209",
        "Memory sizes look like GiB divided by 1.024. They are used as written, which is never too large.",
    ),
    ("CAT-1210", "Counts of accelerators are not whole numbers and are kept as unknown."),
    (
        "CAT-1211",
        "Too many rows each hold for many regions, so the row is left out. Name the region in each row.",
    ),
    (
        "CAT-1212",
        "A throughput or baseline of a machine cannot be read and counts as unknown. Write a positive decimal number.",
    ),
    ("CAT-1301", "Storage other than plain block storage was not loaded."),
    ("CAT-1302", "The class of disk has no name or an unknown medium and is left out. Write ssd or hdd."),
    (
        "CAT-1303",
        "The smallest or largest size of the disk cannot be read and is kept as unknown. Write whole GiB.",
    ),
    (
        "CAT-1304",
        "The disk costs many times more or less than in the provider's other regions. Check the figure.",
    ),
    ("CAT-1401", "Prices of traffic for one destination, one route or another list were not loaded."),
    ("CAT-1402", "The bounds of the tier cannot be read, so it is left out. Write whole GB a month."),
    ("CAT-1403", "A tier of traffic is dearer than the one below it. It is used as written."),
    ("CAT-1404", "The highest tier of traffic has an end. Its price is used beyond it."),
    (
        "CAT-1405",
        "Tiers of traffic for which there is a newer price list were left out: tiers of two lists are never mixed.",
    ),
    ("CAT-1501", "Charges that no part of a plan is priced with were not loaded."),
    ("CAT-1502", "The charge is in a unit that is not expected and is left out. Write hour or GB."),
    ("CAT-1601", "Licences of systems that Carafe does not tell apart were not loaded."),
    ("CAT-1602", "The licence has no price and is left out. Give the price per vCPU, per machine, or both."),
    ("CAT-1603", "The sizes that the licence holds for cannot be read, so it is left out."),
    ("CAT-1701", "Round trips from or to regions that the catalog does not have were left out."),
    ("CAT-1702", "The round trip cannot be read and is left out. Write milliseconds."),
    ("CAT-1801", "The certification lacks a name, a source or a date and is left out. Fill in all three."),
    ("CAT-2001", "The JSON or table is cut short. Download or copy the file again."),
    (
        "CAT-2002",
        "Nobody knows the currency, so its prices are left out. Write the code of ISO 4217, such as KRW.",
    ),
    ("CAT-2003", "Prices in a second currency are left out. Import each currency on its own."),
    (
        "CAT-2004",
        "The file is not the JSON of its format. Name the format with --as, or download the file again.",
    ),
    ("CAT-2005", "No known price list begins like the file. Name the format with --as."),
    (
        "CAT-2006",
        "The price list tells no date, so its prices are left out. Say of which day it is with --as-of.",
    ),
    ("CAT-2007", "The answer that was kept is a refusal. Ask again with other credentials."),
    ("CAT-2008", "The file holds nothing of its format. Name another with --as, or ask the provider again."),
    (
        "CAT-2101",
        "Instance types of unknown size were left out with their prices. Import the list of machines beside them.",
    ),
    ("CAT-2102", "Tiers of traffic that do not begin at zero were left out. Add the first tier."),
    (
        "CAT-2201",
        "Prices of variants nobody plans with (dedicated, unused, with software) were not loaded. Nothing needs to be done.",
    ),
    ("CAT-2202", "A SKU is listed twice; the last one counts. Download the offer again."),
    (
        "CAT-2203",
        "The terms stand before the products, so they have no meaning. Use the file as AWS publishes it.",
    ),
    ("CAT-2204", "Prices in units that are not expected were left out. Nothing needs to be done."),
    (
        "CAT-2205",
        "Prices of cores and memory need the list of machine types beside them, and the other way round.",
    ),
    ("CAT-2206", "Prices without a location were left out. Name the region with --region."),
    ("CAT-2207", "Images have no price and were not loaded. Nothing needs to be done."),
    ("CAT-2208", "The file does not say which cloud it is of. Name it with --provider."),
    (
        "CAT-2209",
        "These prices are collected in a way that makes them doubtful. Import the provider's own list instead.",
    ),
    ("CAT-2301", "The TOML of the rate card cannot be read. Mend the line."),
    ("CAT-2302", "A price per vCPU needs a price per GiB beside it. Give both; zero says that one is free."),
    (
        "CAT-2303",
        "The rate card prices something that does not exist. Use one of the items of docs/formats/rate-card.md.",
    ),
    (
        "CAT-2401",
        "The prices are in a currency without an exchange rate and were left out. Give one with `carafe catalog fx`.",
    ),
];
